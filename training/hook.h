#pragma once

#include <cstdint>
#include <functional>

#include "core/component.h"
#include "core/metrics.h"
#include "core/safetensors.h"
#include "models/circuits/circuits.h"
#include "models/groups/group.h"
#include "models/model.h"

namespace logodds {

class Loss;

/// One run at one evaluation, read-only.
struct Snapshot {
  int64_t step;
  int64_t run;
  const Model& model;
  const Parameters& parameters;  ///< of this run, a pack of one
  Tensor inputs_NT;
  Tensor logits_NV;  ///< on every example of the task
  Tensor targets_N;
  Tensor train_B;  ///< numbers of the training examples
  Tensor test_B;
  Tensor posterior_NV{};         ///< ln P(c | x), class-centred, where the task knows it; else undefined
  Tensor truth_N{};              ///< the classes before `random_labels` changed some; undefined: the targets
  const Group* group = nullptr;  ///< which the classes form, where that is known
  double learning_rate = 0;      ///< of the next update, schedule included
  const Loss* loss = nullptr;    ///< that is trained with
  /// The weights with the gradient of the loss on all training examples, computed at each call.
  std::function<Parameters()> with_gradient{};

  Observed observed() const { return {model, parameters, inputs_NT, logits_NV, {}, group}; }
};

/// Logits [N,V] of run `run` for the flat weights [n] given, on every example.
using LogitsOf = std::function<Tensor(int64_t run, const Tensor& flat)>;

/// An observer of training: adds columns "<hook>.<figure>" to the metrics of a run and cannot change it.
class Hook {
 public:
  virtual ~Hook() = default;

  /// It observes at evaluations whose step is a multiple of this, and at the last one.
  virtual int64_t every_steps() const = 0;
  virtual void observe(const Snapshot& snapshot, Row& row) = 0;

  /// What later figures depend on besides the snapshot, so that a resumed run reports what an uninterrupted one does.
  virtual NamedTensors state() const { return {}; }
  virtual void restore(const NamedTensors&, const LogitsOf&) {}
};

/// The hooks by name.
const Catalogue& hooks();

}  // namespace logodds
