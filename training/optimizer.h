#pragma once

#include "core/component.h"
#include "core/safetensors.h"
#include "models/parameters.h"

namespace logodds {

/// Updates the flat buffer [R, n] from the flat gradient.
class Optimizer {
 public:
  virtual ~Optimizer() = default;

  /// One update; `factor` is the schedule's factor on the learning rate, one float64 number where the weights are. On
  /// a GPU nothing that changes from step to step may be read on the host: the update may be recorded and replayed
  /// (step_graph.h).
  virtual void step(Parameters& parameters, const Tensor& factor) = 0;

  /// η of a run, before the schedule's factor.
  virtual double learning_rate(int64_t run) const = 0;

  /// Everything that the next update depends on besides weights and options; `restore` takes what `state` gave.
  virtual NamedTensors state() const = 0;
  virtual void restore(const NamedTensors& state) = 0;
};

/// One value per run, [R], float64, on the device of the weights.
Tensor per_run(const PerRun<double>& values, const Parameters& parameters);

/// The optimizers by name; each is made for the Parameters it will update.
const Catalogue& optimizers();

}  // namespace logodds
