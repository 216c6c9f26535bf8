#pragma once

#include "training/loss.h"

namespace logodds {

/// Multi-class logistic loss -ln softmax(f)_y, nats, mean over samples. `arithmetic`:
///   float64   accurate, whatever the logits' dtype: the formulas of core/log_odds.h, no loss is too small
///   float32, float16   as a plain log-softmax in that arithmetic computes loss and gradient (core/plain_softmax.h),
///             so that softmax collapses: once p_y rounds to 1, loss and gradient of a sample are 0. The mean over the
///             samples is taken in float64. A float16 logit beyond 65504 makes a loss that is not finite.
class CrossEntropyLoss : public Loss {
 public:
  struct Options {
    std::string arithmetic = "float64";
    void fields(Fields& fields);
  };
  explicit CrossEntropyLoss(const Options& options) : options_(options) {}

  Value with_gradient(const Tensor& logits_RBV, const Tensor& targets_RB) const override;
  std::optional<RowLoss> rows(int64_t classes, double scale) const override;
  double value(const Tensor& logits_BV, const Tensor& targets_B) const override;

 private:
  bool accurate() const { return options_.arithmetic == "float64"; }

  Options options_;
};

}  // namespace logodds
