#include "training/grokking.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

namespace logodds {
namespace {

const double kNever = INFINITY;

/// Evaluations every ten steps.
std::vector<Row> rows_of(const std::vector<double>& train, const std::vector<double>& test) {
  std::vector<Row> rows;
  for (size_t i = 0; i < train.size(); ++i) {
    rows.push_back({{"step", 10 * i}, {"train_accuracy", train[i]}, {"test_accuracy", test[i]}});
  }
  return rows;
}

TEST(Grokking, IsTheFirstOfThreeEvaluationsInARowAtNinetyNinePercent) {
  const Grokking found = grokking(rows_of({.5, .99, 1, 1, 1, 1, 1, 1}, {0, .995, .99, .98, .2, .99, 1, .992}));
  EXPECT_EQ(found.train_step, 10);
  EXPECT_EQ(found.test_step, 50);  // not 10: two evaluations only
  EXPECT_EQ(found.gap(), 40);
}

TEST(Grokking, TwoEvaluationsAtTheEndAreNotEnough) {
  const Grokking found = grokking(rows_of({1, 1, 1, 1}, {0, 0, 1, 1}));
  EXPECT_EQ(found.train_step, 0);
  EXPECT_FALSE(found.test_step);
  EXPECT_FALSE(found.gap());
}

TEST(Grokking, WithoutATestSetThereIsNone) {
  std::vector<Row> rows = rows_of({1, 1, 1}, {1, 1, 1});
  for (auto& row : rows) row.erase("test_accuracy");
  EXPECT_TRUE(grokking(rows).train_step);
  EXPECT_FALSE(grokking(rows).test_step);
}

TEST(MedianInterval, CensoredRunsCountAsLargerThanAllOthers) {
  EXPECT_EQ(median_interval({5, 1, 3}).median, 3);
  EXPECT_EQ(median_interval({kNever, 1, 2, kNever}).median, 2);  // half of them by step 2
  EXPECT_EQ(median_interval({kNever, 1, kNever}).median, kNever);
  EXPECT_EQ(median_interval({kNever, 1, 2}).high, kNever);
  EXPECT_TRUE(std::isnan(median_interval({}).median));
}

/// The chance that a resample of n distinct values has its median at or below the k-th of them is binomial:
/// P(at least ⌈n/2⌉ of n draws are among the k smallest). The interval must be the percentiles of that distribution.
TEST(MedianInterval, IsThePercentilesOfTheExactBootstrapDistribution) {
  constexpr int n = 25;
  std::vector<double> values;
  for (int i = 1; i <= n; ++i) values.push_back(i);
  const auto below = [](int k) {
    double sum = 0;
    for (int j = (n + 1) / 2; j <= n; ++j) {
      const double share = static_cast<double>(k) / n;
      sum += std::exp(std::lgamma(n + 1) - std::lgamma(j + 1) - std::lgamma(n - j + 1)) * std::pow(share, j) *
             std::pow(1 - share, n - j);
    }
    return sum;
  };
  const MedianInterval found = median_interval(values);
  EXPECT_EQ(found.median, 13);
  // 2000 resamples: a percentile's place is uncertain by .0035, three of them .0105.
  EXPECT_GE(below(static_cast<int>(found.low)), 0.025 - 0.0105);
  EXPECT_LT(below(static_cast<int>(found.low) - 1), 0.025 + 0.0105);
  EXPECT_GE(below(static_cast<int>(found.high)), 0.975 - 0.0105);
  EXPECT_LT(below(static_cast<int>(found.high) - 1), 0.975 + 0.0105);
  EXPECT_EQ(median_interval(values).low, found.low);
}

}  // namespace
}  // namespace logodds
