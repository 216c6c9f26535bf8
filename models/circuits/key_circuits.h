#pragma once

#include <vector>

#include "core/tensor.h"

namespace logodds {

/// The circuits whose share is at least `threshold`, largest first, and all the others, in order.
struct KeyCircuits {
  std::vector<int64_t> key;
  std::vector<int64_t> other;
};
KeyCircuits key_circuits(const Tensor& shares_P, double threshold);

}  // namespace logodds
