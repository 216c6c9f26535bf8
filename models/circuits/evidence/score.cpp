#include "models/circuits/evidence/score.h"

#include <ATen/ATen.h>

#include "core/log_odds.h"

namespace logodds {

Score score(const Tensor& logits_NV, const Tensor& targets_N, const Tensor& samples_B) {
  const Tensor logits = logits_NV.index_select(0, samples_B), targets = targets_N.index_select(0, samples_B);
  return {cross_entropy(logits, targets).mean().item<double>(), accuracy(logits, targets).item<double>()};
}

Distribution distribution(const Tensor& values_B) {
  const Tensor values = values_B.to(at::kCPU, at::kDouble);
  const Tensor at_levels = at::quantile(values, at::tensor(at::ArrayRef<double>(kQuantiles), at::kDouble)).contiguous();
  const auto* first = at_levels.const_data_ptr<double>();
  return {values.mean().item<double>(), {first, first + at_levels.numel()}};
}

}  // namespace logodds
