#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/component.h"
#include "core/tensor.h"
#include "models/groups/group.h"
#include "models/model.h"
#include "training/world.h"

namespace logodds {

/// Every example of a task, N per run, and which of them each run trains on. The run axis may be a stride of 0 where
/// the runs share their examples.
struct Dataset {
  Tensor inputs;           ///< [R,N,T] tokens, or [R,N,F] features
  Tensor targets_RN;       ///< class numbers
  Tensor train_RB;         ///< numbers of the training examples, in 0 … N-1
  Tensor test_RB;          ///< the others; B may be 0
  Tensor posterior_RNV{};  ///< ln P(c | x), class-centred, float64, where the task knows it; else undefined
  Tensor truth_RN{};       ///< the classes before `random_labels` changed some; undefined where no task option did
  std::shared_ptr<const Group> group{};  ///< which the classes form, where that is known

  int64_t runs() const { return targets_RN.size(0); }
  /// Of one run [N,V]; undefined where it is not known.
  Tensor posterior(int64_t run) const { return posterior_RNV.defined() ? posterior_RNV[run] : Tensor(); }
  /// Classes of one run before some were changed, [N]; the targets where none were.
  Tensor truth(int64_t run) const { return (truth_RN.defined() ? truth_RN : targets_RN)[run]; }
  /// On a device, features in `dtype`.
  Dataset to(at::Device device, at::ScalarType dtype) const;
};

/// Makes the examples of a pack of runs.
class Task {
 public:
  virtual ~Task() = default;
  virtual InputShape shape() const = 0;

  /// Run r's split and labels are functions of seeds[r] alone.
  virtual Dataset make(const std::vector<int64_t>& seeds) const = 0;

  /// Number of the example with these input values; throws Error when there is none.
  virtual int64_t find(const std::vector<int64_t>& input) const = 0;

  /// What generates fresh examples of run `run`, whose seed is `seed`; empty where it is not known exactly.
  virtual std::unique_ptr<World> world(size_t /*run*/, int64_t /*seed*/) const { return nullptr; }

  /// An input in words: "17 + 45 mod 113".
  virtual std::string describe(const std::vector<int64_t>& input) const = 0;
};

/// The tasks by name; they need nothing but their options.
const Catalogue& tasks();

}  // namespace logodds
