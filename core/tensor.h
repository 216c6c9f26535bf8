#pragma once

#include <ATen/core/Tensor.h>

namespace logodds {

using Tensor = at::Tensor;

}  // namespace logodds
