#include "core/log_odds.h"

#include <ATen/ATen.h>

#include <limits>

namespace logodds {

namespace {

/// f_c - f_y in float64 with the true class's entry set to -∞, so that sums and maxima run over the wrong classes.
Tensor wrong_class_differences(const Tensor& logits, const Tensor& targets) {
  const Tensor index = targets.unsqueeze(-1);
  Tensor differences = logits.to(at::kDouble);
  differences = differences - differences.gather(-1, index);
  return differences.scatter_(-1, index, -std::numeric_limits<double>::infinity());
}

struct SoftmaxParts {
  Tensor exponentials;  ///< e^{f_c - f_y - m} for c ≠ y, 0 for y; [..., B, V]
  Tensor others;        ///< their sum, [..., B, 1]
  Tensor shift;         ///< m ≥ 0, [..., B, 1]
};

SoftmaxParts softmax_parts(const Tensor& logits, const Tensor& targets) {
  Tensor differences = wrong_class_differences(logits, targets);
  const Tensor shift = differences.amax(-1, /*keepdim=*/true).clamp_min_(0);
  const Tensor exponentials = differences.sub_(shift).exp_();
  return {exponentials, exponentials.sum(-1, /*keepdim=*/true), shift};
}

Tensor loss_of(const SoftmaxParts& parts) {
  return (parts.shift + at::log1p(at::expm1(-parts.shift) + parts.others)).squeeze(-1);
}

}  // namespace

Tensor centred(const Tensor& logits) { return logits - logits.mean(-1, /*keepdim=*/true); }

Tensor cross_entropy(const Tensor& logits, const Tensor& targets) { return loss_of(softmax_parts(logits, targets)); }

CrossEntropy cross_entropy_with_gradient(const Tensor& logits, const Tensor& targets) {
  const SoftmaxParts parts = softmax_parts(logits, targets);
  const Tensor total = at::exp(-parts.shift) + parts.others;
  Tensor gradient = parts.exponentials / total;
  gradient.scatter_(-1, targets.unsqueeze(-1), -parts.others / total);
  return {loss_of(parts), gradient.to(logits.scalar_type())};
}

Tensor runner_up(const Tensor& logits, const Tensor& targets) {
  return logits.scatter(-1, targets.unsqueeze(-1), -std::numeric_limits<double>::infinity()).argmax(-1);
}

Tensor evidence(const Tensor& logits, const Tensor& targets, const Tensor& rivals) {
  return (logits.gather(-1, targets.unsqueeze(-1)) - logits.gather(-1, rivals.unsqueeze(-1))).squeeze(-1);
}

Tensor margin(const Tensor& logits, const Tensor& targets) {
  return evidence(logits, targets, runner_up(logits, targets));
}

Tensor accuracy(const Tensor& logits, const Tensor& targets) {
  return (margin(logits, targets) > 0).to(at::kDouble).mean(-1);
}

}  // namespace logodds
