#include "core/statistics.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace logodds {
namespace {

TEST(Statistics, StudentQuantilesAreThoseOfTheTables) {
  EXPECT_NEAR(student_quantile(1, 0.95), 12.7062, 1e-4);
  EXPECT_NEAR(student_quantile(2, 0.95), 4.30265, 1e-5);
  EXPECT_NEAR(student_quantile(7, 0.95), 2.36462, 1e-5);
  EXPECT_NEAR(student_quantile(30, 0.99), 2.75000, 1e-5);
  EXPECT_NEAR(student_quantile(100000, 0.95), 1.95998, 1e-4);
}

TEST(Statistics, TheIntervalOfAMeanCoversAsOftenAsItSays) {
  std::mt19937_64 generator(3);
  std::normal_distribution<double> draw(2, 5);
  int covered = 0;
  constexpr int kTrials = 4000;
  for (int trial = 0; trial < kTrials; ++trial) {
    const auto found = mean_interval({draw(generator), draw(generator), draw(generator), draw(generator)});
    covered += found.low < 2 && 2 < found.high ? 1 : 0;
  }
  EXPECT_NEAR(covered / static_cast<double>(kTrials), 0.95, 4 * std::sqrt(0.95 * 0.05 / kTrials));
}

TEST(Statistics, OneValueHasNoInterval) {
  EXPECT_EQ(mean_interval({3}).mean, 3);
  EXPECT_TRUE(std::isnan(mean_interval({3}).low));
  EXPECT_TRUE(std::isnan(mean_error(at::tensor({3.0}, at::kDouble)).error));
}

TEST(Statistics, TheStandardErrorIsTheDeviationOverTheRoot) {
  const auto [mean, error] = mean_error(at::tensor({1.0, 2.0, 6.0}, at::kDouble));
  EXPECT_DOUBLE_EQ(mean, 3);
  EXPECT_DOUBLE_EQ(error, std::sqrt(14.0 / 2 / 3));
}

TEST(Statistics, SlopeOfALineIsItsOwn) {
  EXPECT_NEAR(least_squares_slope({1, 2, 5}, {3, 1, -5}), -2, 1e-14);
  EXPECT_TRUE(std::isnan(least_squares_slope({2, 2}, {0, 1})));
}

}  // namespace
}  // namespace logodds
