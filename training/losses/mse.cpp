#include "training/losses/mse.h"

#include <ATen/ATen.h>

namespace logodds {

namespace {

/// f_c - [c = y], float64.
Tensor residual(const Tensor& logits, const Tensor& targets) {
  return logits.to(at::kDouble) - at::one_hot(targets, logits.size(-1));
}

}  // namespace

Loss::Value MseLoss::with_gradient(const Tensor& logits_RBV, const Tensor& targets_RB) const {
  const Tensor difference = residual(logits_RBV, targets_RB);
  const auto terms = static_cast<double>(logits_RBV.size(1) * logits_RBV.size(2));
  return {difference.square().mean({1, 2}), (difference * (2 / terms)).to(logits_RBV.scalar_type())};
}

std::optional<RowLoss> MseLoss::rows(int64_t classes, double scale) const {
  const auto in_place = [=]<class T>(T* logits, int64_t stride, const int64_t* targets, int64_t rows, double* losses) {
    const auto V = static_cast<double>(classes);
    for (int64_t row = 0; row < rows; ++row, logits += stride) {
      double sum = 0;
      for (int64_t c = 0; c < classes; ++c) {
        const double difference = static_cast<double>(logits[c]) - (c == targets[row] ? 1 : 0);
        sum += difference * difference;
        logits[c] = static_cast<T>(difference * (2 * scale / V));
      }
      losses[row] = sum / V;
    }
  };
  return RowLoss{in_place, in_place, /*ignores_constant=*/false};
}

double MseLoss::value(const Tensor& logits_BV, const Tensor& targets_B) const {
  return residual(logits_BV, targets_B).square().mean().item<double>();
}

}  // namespace logodds
