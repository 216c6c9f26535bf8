#include "models/ops/inputs.h"

#include <ATen/ATen.h>

namespace logodds {

bool mostly_zero(const Tensor& features) { return 3 * features.count_nonzero().item<int64_t>() < features.numel(); }

const Tensor& Inputs::tensor() const {
  if (!gathered_.defined()) {
    gathered_ = features_.index_select(0, rows_.reshape(-1)).view({rows_.size(0), rows_.size(1), features_.size(1)});
  }
  return gathered_;
}

Inputs Inputs::of_runs(int64_t first, int64_t count) const {
  if (in_place()) return {features_, rows_.narrow(0, first, count)};
  return gathered_.narrow(0, first, count);
}

Inputs Inputs::contiguous() const {
  if (in_place()) return {features_.contiguous(), rows_.contiguous()};
  return gathered_.contiguous();
}

}  // namespace logodds
