#pragma once

#include <vector>

#include "core/tensor.h"

namespace logodds {

/// Factors on circuits that would lower the loss most: argmin over s of the mean loss of rest + Σ_i s_i part_i, convex
/// in s. A circuit is calibrated when its factor is 1; below 1 it claims more than its evidence warrants. All factors
/// are infinite where some combination of the parts puts every sample right, because scaling it up always helps.
struct Scales {
  std::vector<double> scale;  ///< NaN where there is no finite optimum
  double loss;                ///< there, nats; the lowest that was reached where there is none
};

/// Damped Newton iteration to a relative step of 1e-9. `rest` may be undefined: no fixed logits.
Scales optimal_scales(const Tensor& rest_BV, const std::vector<Tensor>& parts, const Tensor& targets_B);

/// Expected calibration error: samples sorted by confidence (the largest probability) into 15 bins of equal mass,
/// Σ_bins share · |accuracy - mean confidence|.
double expected_calibration_error(const Tensor& logits_BV, const Tensor& targets_B);

}  // namespace logodds
