#pragma once

#include "core/tensor.h"

namespace logodds {

/// Whether chains have mixed, by Vehtari, Gelman, Simpson, Carpenter and Bürkner 2021 ("Rank-normalization, folding,
/// and localization: an improved R̂"): of draws [R,D], float64, each chain cut in halves. NaN for fewer than four draws
/// per chain, and where a draw is not finite.
struct Convergence {
  double r_hat;      ///< the larger of rank-normalised split-R̂ and that of the distances from the median; 1 is mixed
  double bulk_size;  ///< effective sample size of the rank-normalised draws: how many independent ones they are worth
  double tail_size;  ///< the smaller of those of the 5 % and the 95 % quantile
};
Convergence convergence(const Tensor& draws_RD);

/// Above this R̂ chains have not mixed: estimates from them cannot stand.
inline constexpr double kMixed = 1.1;

}  // namespace logodds
