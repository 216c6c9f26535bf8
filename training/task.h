#pragma once

#include <string>
#include <vector>

#include "core/component.h"
#include "core/tensor.h"
#include "models/model.h"

namespace logodds {

/// Every example of a task, N per run, and which of them each run trains on. The run axis may be a stride of 0 where
/// the runs share their examples.
struct Dataset {
  Tensor inputs;      ///< [R,N,T] tokens, or [R,N,F] features
  Tensor targets_RN;  ///< class numbers
  Tensor train_RB;    ///< numbers of the training examples, in 0 … N-1
  Tensor test_RB;     ///< the others; B may be 0

  int64_t runs() const { return targets_RN.size(0); }
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

  /// An input in words: "17 + 45 mod 113".
  virtual std::string describe(const std::vector<int64_t>& input) const = 0;
};

/// The tasks by name; they need nothing but their options.
const Catalogue& tasks();

}  // namespace logodds
