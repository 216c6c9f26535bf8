#pragma once

#include <cstdint>

// The arithmetic of cross_entropy (core/log_odds.h) on plain memory: no LibTorch here.

namespace logodds {

/// Losses [rows] of logits [rows, classes], nats; and `scale` times their gradient [rows, classes] unless it is null.
/// The strides are those of rows; the gradient may take the logits' place. A row with a logit that is not finite has a
/// loss and a gradient of NaN.
void cross_entropy_rows(const float* logits, int64_t stride, const int64_t* targets, int64_t rows, int64_t classes,
                        double scale, double* losses, float* gradient, int64_t gradient_stride);
void cross_entropy_rows(const double* logits, int64_t stride, const int64_t* targets, int64_t rows, int64_t classes,
                        double scale, double* losses, double* gradient, int64_t gradient_stride);

}  // namespace logodds
