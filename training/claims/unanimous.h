#pragma once

#include "training/claims/losses.h"

namespace logodds {

/// Per run of coins or erasures: odds for class 1 where every feature shown speaks for it, π_1/π_0 · o^n, and the
/// network's (geometric mean over such test examples). NaN where no test example is one.
class UnanimousOddsClaim : public Claim {
 public:
  using Options = NoOptions;
  explicit UnanimousOddsClaim(const Options&) {}
  std::vector<Figure> figures(const std::vector<Trained>& runs) const override;
};

/// The regime of a uniform margin, the same evidence n ln o on every input: per run of coins, loss where every feature
/// shown is right, ln(1 + o^-n); and the slope of its logarithm per feature, with its limit -ln o.
class UnanimousLossClaim : public Claim {
 public:
  using Options = NoOptions;
  explicit UnanimousLossClaim(const Options&) {}
  std::vector<Figure> figures(const std::vector<Trained>& runs) const override;
};

}  // namespace logodds
