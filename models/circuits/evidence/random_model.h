#pragma once

#include <cstdint>
#include <vector>

namespace logodds {

/// Loss of the random model of modular addition, f(δ) = Σ_i A_i cos(2πκ_i δ/p) with δ = a+b-c: the same for every
/// (a,b),
///   L = ln(1 + Σ_{δ≠0} e^{-m(δ)}),  m(δ) = 2 Σ_i A_i sin²(πκ_i δ/p).
/// Exact for the given frequencies and amplitudes (no average over frequencies), nats.
double random_model_loss(int64_t p, const std::vector<int64_t>& frequencies, const std::vector<double>& amplitudes);

}  // namespace logodds
