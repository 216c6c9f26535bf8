#pragma once

#include <string>
#include <vector>

#include "core/tensor.h"

namespace logodds {

/// Names of the activation functions: relu(x) = max(x, 0); gelu(x) = x Φ(x), exact; quadratic(x) = x².
const std::vector<std::string>& activation_names();

/// Applies one by name, element by element.
Tensor activate(const std::string& name, const Tensor& x);

}  // namespace logodds
