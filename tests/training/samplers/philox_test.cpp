#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "training/samplers/philox_kernel.h"

namespace logodds {
namespace {

std::vector<float> normals(uint64_t key, uint64_t step, int64_t pages) {
  std::vector<float> numbers(static_cast<size_t>(pages * kNoisePage));
  standard_normals(key, step, 0, pages, numbers.data());
  return numbers;
}

TEST(Philox, KnownAnswersOfItsAuthors) {
  uint32_t page[kNoisePage];
  random_words(0, 0, 0, page);
  const uint32_t zeros[4] = {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8};
  for (int w = 0; w < 4; ++w) EXPECT_EQ(page[16 * w], zeros[w]);
  // All bits of counter and key set: the counter's low half is block 15 of the last page.
  random_words(~uint64_t{0}, ~uint64_t{0}, (int64_t{1} << 60) - 1, page);
  const uint32_t ones[4] = {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd};
  for (int w = 0; w < 4; ++w) EXPECT_EQ(page[16 * w + 15], ones[w]);
}

TEST(Philox, NormalsHaveTheMomentsOfTheNormalDistribution) {
  const auto numbers = normals(7, 3, 1 << 14);  // 2^20 of them
  const auto n = static_cast<double>(numbers.size());
  const auto moment = [&](int k) {
    return std::accumulate(numbers.begin(), numbers.end(), 0.0,
                           [k](double sum, float z) { return sum + std::pow(static_cast<double>(z), k); }) /
           n;
  };
  // Within five standard errors: √Var(z^k) is 1, √2, √15, √96.
  EXPECT_NEAR(moment(1), 0, 5 / std::sqrt(n));
  EXPECT_NEAR(moment(2), 1, 5 * std::sqrt(2 / n));
  EXPECT_NEAR(moment(3), 0, 5 * std::sqrt(15 / n));
  EXPECT_NEAR(moment(4), 3, 5 * std::sqrt(96 / n));
}

TEST(Philox, NormalsFollowTheNormalDistributionFunction) {
  auto numbers = normals(1, 1, 1 << 14);
  std::ranges::sort(numbers);
  const auto n = static_cast<double>(numbers.size());
  double distance = 0;
  for (size_t i = 0; i < numbers.size(); ++i) {
    const double below = 0.5 * std::erfc(-static_cast<double>(numbers[i]) / std::sqrt(2.0));
    distance = std::max(distance, std::abs(below - (static_cast<double>(i) + 0.5) / n));
  }
  EXPECT_LT(distance * std::sqrt(n), 1.95);  // Kolmogorov: 0.1 %
}

TEST(Philox, NumbersOfOtherStepsKeysAndPlacesAreUncorrelated) {
  const auto here = normals(5, 9, 1 << 10);
  const auto correlation = [&](const std::vector<float>& other, size_t shift) {
    double sum = 0;
    for (size_t i = 0; i + shift < here.size(); ++i) sum += static_cast<double>(here[i]) * other[i + shift];
    return sum / std::sqrt(static_cast<double>(here.size()));
  };
  EXPECT_LT(std::abs(correlation(normals(5, 10, 1 << 10), 0)), 5);
  EXPECT_LT(std::abs(correlation(normals(6, 9, 1 << 10), 0)), 5);
  for (const size_t shift : {1, 16, 32, 64}) EXPECT_LT(std::abs(correlation(here, shift)), 5) << shift;
}

TEST(Philox, APageIsTheSameWhereverTheRequestBegins) {
  const auto all = normals(2, 4, 8);
  std::vector<float> part(3 * kNoisePage);
  standard_normals(2, 4, 4, 7, part.data());
  EXPECT_TRUE(std::equal(part.begin(), part.end(), all.begin() + 4 * kNoisePage));
}

}  // namespace
}  // namespace logodds
