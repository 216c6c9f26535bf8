#pragma once

#include "training/loss.h"

namespace logodds {

/// StableMax cross-entropy (Prieto et al. 2025, arXiv 2501.04697): -ln(s_y / Σ_c s_c) with s(x) = x + 1 for x ≥ 0 and
/// 1/(1 - x) for x < 0, nats, mean over samples; float64 arithmetic. It notices a constant added to all logits, and
/// log-odds are differences of ln s(f), not of the logits f.
class StableMaxLoss : public Loss {
 public:
  struct Options {
    void fields(Fields&) {}
  };
  explicit StableMaxLoss(const Options&) {}

  Value with_gradient(const Tensor& logits_RBV, const Tensor& targets_RB) const override;
  std::optional<RowLoss> rows(int64_t classes, double scale) const override;
  double value(const Tensor& logits_BV, const Tensor& targets_B) const override;
};

}  // namespace logodds
