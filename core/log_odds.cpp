#include "core/log_odds.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <limits>

#include "core/log_odds_kernel.h"

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

namespace {

/// The kernel on the CPU, threads over rows; for logits [..., B, V] of float32 or float64.
CrossEntropy by_kernel(const Tensor& logits, const Tensor& targets, double scale, bool with_gradient) {
  const Tensor f = logits.contiguous(), y = targets.to(at::kLong).contiguous();
  CrossEntropy result{at::empty(targets.sizes(), logits.options().dtype(at::kDouble)),
                      with_gradient ? at::empty(f.sizes(), f.options()) : Tensor()};
  const int64_t classes = f.size(-1);
  const auto run = [&]<class T>(T) {
    at::parallel_for(0, y.numel(), 64, [&](int64_t begin, int64_t end) {
      cross_entropy_rows(f.const_data_ptr<T>() + begin * classes, classes, y.const_data_ptr<int64_t>() + begin,
                         end - begin, classes, scale, result.loss.mutable_data_ptr<double>() + begin,
                         with_gradient ? result.gradient.mutable_data_ptr<T>() + begin * classes : nullptr, classes);
    });
  };
  f.scalar_type() == at::kFloat ? run(float{}) : run(double{});
  return result;
}

bool has_kernel(const Tensor& logits) {
  return logits.is_cpu() && (logits.scalar_type() == at::kFloat || logits.scalar_type() == at::kDouble);
}

}  // namespace

Tensor cross_entropy(const Tensor& logits, const Tensor& targets) {
  if (has_kernel(logits)) return by_kernel(logits, targets, 1, /*with_gradient=*/false).loss;
  return loss_of(softmax_parts(logits, targets));
}

CrossEntropy cross_entropy_with_gradient(const Tensor& logits, const Tensor& targets, double scale) {
  if (has_kernel(logits)) return by_kernel(logits, targets, scale, /*with_gradient=*/true);
  const SoftmaxParts parts = softmax_parts(logits, targets);
  const Tensor factor = scale / (at::exp(-parts.shift) + parts.others);
  Tensor gradient = parts.exponentials * factor;
  gradient.scatter_(-1, targets.unsqueeze(-1), -parts.others * factor);
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
