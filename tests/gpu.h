#pragma once

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "core/device.h"

namespace logodds {

/// Tests that need a GPU: skipped, with a message, where there is none.
class Gpu : public testing::Test {
 protected:
  void SetUp() override {
    if (!at::hasCUDA()) GTEST_SKIP() << "needs a GPU, and a build with --cuda";
    make_repeatable(/*tf32=*/false);
  }
};

inline double largest_difference(const Tensor& a, const Tensor& b) {
  return (a.detach().to(at::kCPU, at::kDouble) - b.detach().to(at::kCPU, at::kDouble)).abs().max().item<double>();
}

}  // namespace logodds
