#pragma once

#include "core/tensor.h"

namespace logodds {

/// The samples of each key, ready to be summed in their order without collisions: those of key k in group g of run r
/// are order[r, g, i], starts[r, g, k] ≤ i < starts[r, g, k + 1], in rising order.
struct SampleGroups {
  Tensor order_RGB;
  Tensor starts_RGK;  ///< [R, G, keys + 1]
};

/// Of keys [R,G,B], whole numbers; samples whose key is not in 0 … `keys` - 1 belong to none.
SampleGroups group_samples(const Tensor& keys_RGB, int64_t keys);

}  // namespace logodds
