#include "training/losses/cross_entropy.h"

#include <ATen/ATen.h>

#include "core/log_odds.h"
#include "core/log_odds_kernel.h"

namespace logodds {

Loss::Value CrossEntropyLoss::with_gradient(const Tensor& logits_RBV, const Tensor& targets_RB) const {
  const double scale = 1 / static_cast<double>(targets_RB.size(1));
  const CrossEntropy result = cross_entropy_with_gradient(logits_RBV, targets_RB, scale);
  return {result.loss.mean(-1), result.gradient};
}

std::optional<RowLoss> CrossEntropyLoss::rows(int64_t classes, double scale) const {
  const auto in_place = [=](auto* logits, int64_t stride, const int64_t* targets, int64_t rows, double* losses) {
    cross_entropy_rows(logits, stride, targets, rows, classes, scale, losses, logits, stride);
  };
  return RowLoss{in_place, in_place};
}

double CrossEntropyLoss::value(const Tensor& logits_BV, const Tensor& targets_B) const {
  return cross_entropy(logits_BV, targets_B).mean().item<double>();
}

}  // namespace logodds
