#pragma once

#include "training/loss.h"

namespace logodds {

/// Multi-class logistic loss -ln softmax(f)_y, nats, mean over samples; float64 arithmetic on the model's logits with
/// the formulas of core/log_odds.h.
class CrossEntropyLoss : public Loss {
 public:
  struct Options {
    void fields(Fields&) {}
  };
  explicit CrossEntropyLoss(const Options&) {}

  Value with_gradient(const Tensor& logits_RBV, const Tensor& targets_RB) const override;
  std::optional<RowLoss> rows(int64_t classes, double scale) const override;
  double value(const Tensor& logits_BV, const Tensor& targets_B) const override;
};

}  // namespace logodds
