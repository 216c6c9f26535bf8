#pragma once

#include <vector>

#include "core/tensor.h"

namespace logodds {

/// What a set of logits achieves on some samples.
struct Score {
  double loss;      ///< mean multi-class logistic loss, nats; NaN for no samples
  double accuracy;  ///< share of samples with positive margin
};

/// Of the samples `samples` [B] among the logits [N,V] and targets [N].
Score score(const Tensor& logits_NV, const Tensor& targets_N, const Tensor& samples_B);

/// How a figure is distributed over samples.
struct Distribution {
  double mean;
  std::vector<double> quantiles;  ///< at kQuantiles, interpolated linearly
};
inline constexpr double kQuantiles[] = {0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1};
Distribution distribution(const Tensor& values_B);

}  // namespace logodds
