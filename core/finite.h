#pragma once

#include "core/tensor.h"

namespace logodds {

/// Whether a contiguous float32 or float64 tensor on the CPU holds neither infinities nor NaN. One pass at the speed of
/// memory: it is asked of every gradient.
bool all_finite(const Tensor& tensor);

}  // namespace logodds
