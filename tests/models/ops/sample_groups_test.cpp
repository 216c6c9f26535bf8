#include "models/ops/sample_groups.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace logodds {
namespace {

TEST(SampleGroups, EveryKeyHasItsSamplesInTheirOrder) {
  const Tensor keys = at::tensor({2, 0, 2, 5, 0, -1, 1, 1, 1, 1, 1, 1}).view({1, 2, 6});
  const SampleGroups groups = group_samples(keys, 4);
  const auto samples = [&](int64_t group, int64_t key) {
    const Tensor starts = groups.starts_RGK[0][group];
    return groups.order_RGB[0][group].slice(0, starts[key].item<int64_t>(), starts[key + 1].item<int64_t>());
  };
  EXPECT_TRUE(samples(0, 0).equal(at::tensor({1, 4})));
  EXPECT_EQ(samples(0, 1).numel(), 0);
  EXPECT_TRUE(samples(0, 2).equal(at::tensor({0, 2})));
  EXPECT_EQ(samples(0, 3).numel(), 0);  // keys 5 and -1 are out of range and belong to none
  EXPECT_TRUE(samples(1, 1).equal(at::arange(6)));
}

}  // namespace
}  // namespace logodds
