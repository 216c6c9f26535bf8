#pragma once

#include "training/claims/losses.h"

namespace logodds {

/// Per run: R² and slope of the logits against the posterior, and of the features' parts against their own log-odds
/// (the smallest R² and the mean slope of those shown; training/learnt.h).
class PartsClaim : public Claim {
 public:
  using Options = NoOptions;
  explicit PartsClaim(const Options&) {}
  std::vector<Figure> figures(const std::vector<Trained>& runs) const override;
};

/// Per run of at most 12 features: R² of the two pictures of ablation (models/circuits/evidence/ablation.h) over all
/// subsets of the features' parts on the test examples. Theory is the same with the exact log-odds of each feature.
class AblationClaim : public Claim {
 public:
  using Options = NoOptions;
  explicit AblationClaim(const Options&) {}
  std::vector<Figure> figures(const std::vector<Trained>& runs) const override;
};

/// Makes the features' parts of a run's logits on its test examples; throws Error for a model without any.
std::unique_ptr<Circuits> feature_parts(const Trained& run);

}  // namespace logodds
