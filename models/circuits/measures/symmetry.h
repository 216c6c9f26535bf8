#pragma once

#include "models/circuits/circuits.h"

namespace logodds {

// What tells a "clock" from a "pizza" (Zhong et al. 2023, arXiv 2306.17844).

/// Mean cosine of ∂f_c/∂E_a and ∂f_c/∂E_b over 100 random triples a ≠ b, c; E_a and E_b are the embeddings of the two
/// operands. 1 where the logits see the sum of the embeddings only. NaN for models without an embedding.
double gradient_symmetricity(const Observed& observed, int64_t seed = 0);

/// mean_d std_i(x[i,i+d]) / std(x) of a figure x [p²] of each pair, standing in the order a·p + b: near 0 where it
/// depends on the difference of the operands alone (pizza), near 1 where it does not depend on it (clock).
double distance_irrelevance(const Tensor& x_B, int64_t p);

}  // namespace logodds
