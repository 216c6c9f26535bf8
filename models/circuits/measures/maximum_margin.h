#pragma once

#include <optional>

#include "models/circuits/circuits.h"

namespace logodds {

/// γ/γ* of the quadratic network f = Σ_j (u_j[a] + v_j[b])² w_j (Morwani et al. 2023, arXiv 2311.07568): its smallest
/// margin for norm 1,
///   γ = min_{a,b} margin(a,b) / ‖θ‖³,  ‖θ‖³ = Σ_j (‖u_j‖² + ‖v_j‖² + ‖w_j‖²)^{3/2},
/// against the largest there is, γ* = √(2/27) / (√p (p-1)). At most 1 for odd prime p; negative while an input is
/// wrong. Empty for other networks: it needs one-hot concatenated tokens, one quadratic hidden layer and no biases.
std::optional<double> maximum_margin_ratio(const Observed& observed, const Tensor& targets_B);

}  // namespace logodds
