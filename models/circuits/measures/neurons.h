#pragma once

#include "models/circuits/circuits.h"

namespace logodds {

/// The last hidden layer's neurons on all pairs of Z_p: frequencies and phases.
struct Neurons {
  Tensor frequency_M;  ///< κ with most of the activation's variance in {(κ,0), (0,κ), (κ,±κ)}; 0 for a constant
  Tensor share_M;      ///< that share ("neuron FVE")
  Tensor shares_MK;    ///< the share of every κ = 1 … ⌊p/2⌋
  Tensor phase_a_M;    ///< φ1, φ2 of the pre-activation's cos(w_κ a + φ1) and cos(w_κ b + φ2), radians
  Tensor phase_b_M;
  Tensor phase_out_M;    ///< φ3 of the output weights' cos(w_κ c + φ3)
  Tensor phase_error_M;  ///< |φ1 + φ2 - φ3| mod 2π, in [0, π]; 0 for the ideal neuron, NaN for a constant one
  Tensor ipr_in_M;       ///< inverse participation of the pre-activation as a function of a, and of the output weights
  Tensor ipr_out_M;
};

/// Throws Error unless the inputs are all pairs in the order a·p + b.
Neurons neurons(const Observed& observed);

}  // namespace logodds
