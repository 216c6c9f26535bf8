#pragma once

#include "core/tensor.h"

namespace logodds {

// Functions of two numbers modulo p, tabulated on all pairs in the order a·p + b.

/// p where `inputs` [B,T] are all pairs of Z_p in that order; 0 where they are not.
int64_t grid_modulus(const Tensor& inputs_BT);

/// Columns of x [p²,N] as tables [N,p,p].
Tensor on_grid(const Tensor& x_BN, int64_t p);

/// Which frequency each function of (a, b) has, κ = 1 … ⌊p/2⌋, over the columns of x [p²,N].
struct GridFrequencies {
  Tensor frequency_N;  ///< the κ with the largest share; 0 for a function that is constant
  Tensor share_N;    ///< of its modes {(κ,0), (0,κ), (κ,±κ)} in the function's variance, float64; 0 for a constant
  Tensor shares_NK;  ///< the same of every κ ≥ 1; they sum to less than 1 where there are modes of two frequencies
};
GridFrequencies grid_frequencies(const Tensor& x_BN, int64_t p);

}  // namespace logodds
