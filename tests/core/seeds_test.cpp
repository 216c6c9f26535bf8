#include "core/seeds.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace logodds {
namespace {

at::Tensor draws(int64_t seed, const char* purpose) {
  auto generator = stream(seed, purpose);
  return at::randn({1000}, generator, at::kDouble);
}

TEST(Seeds, TheSameSeedAndPurposeGiveTheSameDraws) { EXPECT_TRUE(draws(3, "split").equal(draws(3, "split"))); }

TEST(Seeds, OtherSeedsAndPurposesGiveUncorrelatedDraws) {
  const auto correlation = [](const at::Tensor& a, const at::Tensor& b) { return (a * b).mean().item<double>(); };
  EXPECT_LT(std::abs(correlation(draws(0, "split"), draws(1, "split"))), 0.15);  // 5 standard deviations of 1/√1000
  EXPECT_LT(std::abs(correlation(draws(0, "split"), draws(0, "init"))), 0.15);
}

}  // namespace
}  // namespace logodds
