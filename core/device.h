#pragma once

#include "core/device_loop.h"
#include "core/tensor.h"

namespace logodds {

/// Where work on a tensor is done: the current stream of its GPU, else the CPU.
Place place_of(const Tensor& tensor);

/// Makes arithmetic repeatable on every device: LibTorch's deterministic algorithms, a fixed workspace for cuBLAS, and
/// full float32 in matrix products unless `tf32`, which rounds their factors to 10 bits of mantissa on a GPU.
/// To be called before the first use of a GPU.
void make_repeatable(bool tf32);

}  // namespace logodds
