#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/metrics.h"

namespace logodds {

/// Grokking, stated once. A set is learnt at the first evaluation of kGrokkedEvaluations in a row with an accuracy of
/// at least kGrokkedAccuracy; a run has grokked when its test set is learnt. A run that has not by its last evaluation
/// is censored there: it may do so later.
inline constexpr double kGrokkedAccuracy = 0.99;
inline constexpr size_t kGrokkedEvaluations = 3;

struct Grokking {
  std::optional<int64_t> train_step;  ///< where the training set was learnt
  std::optional<int64_t> test_step;   ///< where the test set was
  /// Steps from the one to the other; none where either is lacking.
  std::optional<int64_t> gap() const;
};

/// Of the rows of one run's metrics in the order of their steps.
Grokking grokking(const std::vector<Row>& rows);

/// The median of a sample, and a 95 % bootstrap interval of it (2000 resamples of the whole sample, percentiles, always
/// the same draws). The median is the smallest value that at least half of the sample does not exceed; so it exists
/// among censored values, too, which are +∞: "larger than whatever was seen". Where it is +∞ less than half was seen.
struct MedianInterval {
  double median;
  double low;
  double high;
};

/// NaN for an empty sample; values must not be NaN.
MedianInterval median_interval(std::vector<double> values);

}  // namespace logodds
