#include "core/log_odds.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <limits>

#include "core/device.h"
#include "core/log_odds_kernel.h"
#include "core/log_odds_loops.h"

namespace logodds {

Tensor centred(const Tensor& logits) { return logits - logits.mean(-1, /*keepdim=*/true); }

namespace {

/// Vectorised, threads over rows; for contiguous logits and targets on the CPU.
template <class T>
void by_kernel(const Tensor& logits, const Tensor& targets, double scale, const CrossEntropy& result) {
  const int64_t classes = logits.size(-1);
  T* gradient = result.gradient.defined() ? result.gradient.mutable_data_ptr<T>() : nullptr;
  at::parallel_for(0, targets.numel(), 64, [&](int64_t begin, int64_t end) {
    cross_entropy_rows(logits.const_data_ptr<T>() + begin * classes, classes, targets.const_data_ptr<int64_t>() + begin,
                       end - begin, classes, scale, result.loss.mutable_data_ptr<double>() + begin,
                       gradient == nullptr ? nullptr : gradient + begin * classes, classes);
  });
}

template <class T>
void by_loops(const Tensor& logits, const Tensor& targets, double scale, const CrossEntropy& result) {
  run(CrossEntropyRows<T>{.logits = logits.const_data_ptr<T>(),
                          .targets = targets.const_data_ptr<int64_t>(),
                          .classes = logits.size(-1),
                          .scale = scale,
                          .losses = result.loss.mutable_data_ptr<double>(),
                          .gradient = result.gradient.defined() ? result.gradient.mutable_data_ptr<T>() : nullptr},
      targets.numel(), place_of(logits));
}

CrossEntropy computed(const Tensor& logits, const Tensor& targets, double scale, bool with_gradient, bool loops) {
  const Tensor f = logits.contiguous(), y = targets.to(at::kLong).contiguous();
  CrossEntropy result{at::empty(targets.sizes(), f.options().dtype(at::kDouble)),
                      with_gradient ? at::empty(f.sizes(), f.options()) : Tensor()};
  const bool is_float = f.scalar_type() == at::kFloat;
  const auto compute =
      loops ? (is_float ? by_loops<float> : by_loops<double>) : (is_float ? by_kernel<float> : by_kernel<double>);
  compute(f, y, scale, result);
  return result;
}

}  // namespace

Tensor cross_entropy(const Tensor& logits, const Tensor& targets) {
  return computed(logits, targets, 1, /*with_gradient=*/false, !logits.is_cpu()).loss;
}

CrossEntropy cross_entropy_with_gradient(const Tensor& logits, const Tensor& targets, double scale) {
  return computed(logits, targets, scale, /*with_gradient=*/true, !logits.is_cpu());
}

CrossEntropy cross_entropy_by_loops(const Tensor& logits, const Tensor& targets, double scale) {
  return computed(logits, targets, scale, /*with_gradient=*/true, /*loops=*/true);
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

Tensor divergence(const Tensor& logits_P, const Tensor& logits_Q) {
  const Tensor log_P = logits_P.to(at::kDouble).log_softmax(-1), log_Q = logits_Q.to(at::kDouble).log_softmax(-1);
  return (log_P.exp() * (log_P - log_Q)).sum(-1);
}

}  // namespace logodds
