#pragma once

#include <cstdint>

// The arithmetic of cross_entropy (core/log_odds.h) on plain memory: no LibTorch here.

namespace logodds {

/// Losses [rows] of logits [rows, classes], nats; and `scale` times their gradient [rows, classes] unless it is null.
/// A row with a logit that is not finite has a loss and a gradient of NaN.
void cross_entropy_rows(const float* logits, const int64_t* targets, int64_t rows, int64_t classes, double scale,
                        double* losses, float* gradient);
void cross_entropy_rows(const double* logits, const int64_t* targets, int64_t rows, int64_t classes, double scale,
                        double* losses, double* gradient);

}  // namespace logodds
