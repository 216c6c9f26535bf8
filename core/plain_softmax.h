#pragma once

#include <string>
#include <vector>

#include "core/tensor.h"

namespace logodds {

/// "float64", "float32", "float16".
const std::vector<std::string>& arithmetic_names();

/// What PyTorch's log_softmax in one of these dtypes makes of logits [..., B, V] with targets [..., B]
/// (core/plain_softmax_loops.h). The losses and sums are given as float64, and `scale` times the gradient in the
/// logits' dtype.
struct PlainSoftmax {
  Tensor loss;      ///< [..., B]: exactly 0 where the arithmetic cannot tell p_y from 1
  Tensor sum;       ///< [..., B], Σ_c e^{f_c - max f}: exactly 1 where softmax has collapsed
  Tensor gradient;  ///< [..., B, V], or undefined
};
PlainSoftmax plain_softmax(const std::string& arithmetic, const Tensor& logits, const Tensor& targets);
PlainSoftmax plain_softmax_with_gradient(const std::string& arithmetic, const Tensor& logits, const Tensor& targets,
                                         double scale);

}  // namespace logodds
