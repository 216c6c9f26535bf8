#pragma once

#include "training/claims/losses.h"

namespace logodds {

/// How many random labels can be memorised by n weights (those of the features shown and of all that comes after). Over
/// runs that differ in `shown` and `train_size`: N_max = ∫ [all N training examples right] dN - ½ for each n, by the
/// trapezoidal rule from N = 0 on, and the least-squares slope of N_max against n. Theory, for a network that is linear
/// and without bias: exactly 2n on average (Cover 1965: separable with probability Pr[Bin(N-1, ½) < n]); for others it
/// is not known.
class CapacityClaim : public Claim {
 public:
  using Options = NoOptions;
  explicit CapacityClaim(const Options&) {}
  std::vector<Figure> figures(const std::vector<Trained>& runs) const override;
};

}  // namespace logodds
