#include "models/ops/sample_groups.h"

#include <ATen/ATen.h>

namespace logodds {

SampleGroups group_samples(const Tensor& keys_RGB, int64_t keys) {
  const auto [sorted, order] = at::sort(keys_RGB, /*stable=*/true, /*dim=*/-1, /*descending=*/false);
  const Tensor all_keys =
      at::arange(keys + 1, keys_RGB.options()).expand({keys_RGB.size(0), keys_RGB.size(1), keys + 1}).contiguous();
  return {order.contiguous(), at::searchsorted(sorted.contiguous(), all_keys)};
}

}  // namespace logodds
