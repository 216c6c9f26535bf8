#pragma once

#include "models/circuits/circuits.h"

namespace logodds {

/// Loss of the first k circuits of an order, k = 0 … K, nats. Independent circuits multiply the odds, so ln L falls by
/// a constant per circuit: `slope`, the least-squares slope of ln L(k) against k.
struct LossCurve {
  std::vector<double> loss;  ///< K + 1 of them; the first is ln V, or the loss of nothing
  std::vector<double> accuracy;
  double slope;                  ///< per circuit, nats
  double slope_low, slope_high;  ///< 95 % interval: percentiles of 1000 bootstrap resamples of the samples
};

/// On the samples `samples` [B]; `order` names the circuits, first kept first. `seed` is that of the bootstrap.
LossCurve loss_curve(const Circuits& circuits, const std::vector<int64_t>& order, const Tensor& targets_N,
                     const Tensor& samples_B, int64_t seed = 0);

}  // namespace logodds
