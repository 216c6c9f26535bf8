#include "training/losses/cross_entropy.h"

#include <ATen/ATen.h>

#include "core/log_odds.h"
#include "core/log_odds_kernel.h"
#include "core/plain_softmax.h"
#include "core/plain_softmax_loops.h"

namespace logodds {

void CrossEntropyLoss::Options::fields(Fields& fields) {
  fields.choice(
      {"arithmetic", "of loss and gradient: float64 is accurate; the others collapse as a plain softmax does"},
      arithmetic, arithmetic_names());
}

Loss::Value CrossEntropyLoss::with_gradient(const Tensor& logits_RBV, const Tensor& targets_RB) const {
  const double scale = 1 / static_cast<double>(targets_RB.size(1));
  if (!accurate()) {
    const PlainSoftmax result = plain_softmax_with_gradient(options_.arithmetic, logits_RBV, targets_RB, scale);
    return {result.loss.mean(-1), result.gradient};
  }
  const CrossEntropy result = cross_entropy_with_gradient(logits_RBV, targets_RB, scale);
  return {result.loss.mean(-1), result.gradient};
}

namespace {

template <class A>
RowLoss plain_rows(int64_t classes, double scale) {
  const auto in_place = [=]<class T>(T* logits, int64_t stride, const int64_t* targets, int64_t rows, double* losses) {
    const PlainSoftmaxRows<T, A> work{logits, stride, targets, classes, scale, losses, nullptr, logits};
    for (int64_t row = 0; row < rows; ++row) work(0, 0, row);
  };
  // Rounding notices a constant, though the mathematics does not.
  return {in_place, in_place, /*ignores_constant=*/false};
}

}  // namespace

std::optional<RowLoss> CrossEntropyLoss::rows(int64_t classes, double scale) const {
  if (options_.arithmetic == "float32") return plain_rows<Float32>(classes, scale);
  if (options_.arithmetic == "float16") return plain_rows<Float16>(classes, scale);
  const auto in_place = [=](auto* logits, int64_t stride, const int64_t* targets, int64_t rows, double* losses) {
    cross_entropy_rows(logits, stride, targets, rows, classes, scale, losses, logits, stride);
  };
  return RowLoss{in_place, in_place};
}

double CrossEntropyLoss::value(const Tensor& logits_BV, const Tensor& targets_B) const {
  const Tensor losses =
      accurate() ? cross_entropy(logits_BV, targets_B) : plain_softmax(options_.arithmetic, logits_BV, targets_B).loss;
  return losses.mean().item<double>();
}

}  // namespace logodds
