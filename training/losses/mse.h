#pragma once

#include "training/loss.h"

namespace logodds {

/// Mean squared error against indicators, Σ_c (f_c - [c = y])² / V, mean over samples; float64 arithmetic. It notices a
/// constant added to all logits, unlike a logistic loss, and its logits are no log-odds.
class MseLoss : public Loss {
 public:
  struct Options {
    void fields(Fields&) {}
  };
  explicit MseLoss(const Options&) {}

  Value with_gradient(const Tensor& logits_RBV, const Tensor& targets_RB) const override;
  std::optional<RowLoss> rows(int64_t classes, double scale) const override;
  double value(const Tensor& logits_BV, const Tensor& targets_B) const override;
};

}  // namespace logodds
