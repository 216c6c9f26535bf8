#pragma once

#include "core/tensor.h"

namespace logodds {

/// result [R,N,M] = a [R,N,K] b [R,K,M], or += where `add`, run by run and in one thread: for use inside `together`.
/// The result may be a part of a larger tensor. By the tile kernels (models/ops/tile_kernel.h) where they take it,
/// which at these sizes is about twice as fast as a library's product; else by LibTorch.
void put_product(const Tensor& result, const Tensor& a, const Tensor& b, bool add = false);

/// The same into a new tensor.
Tensor product(const Tensor& a, const Tensor& b);

}  // namespace logodds
