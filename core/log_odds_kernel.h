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

/// The scaling ray of logits (core/calibration.h), summed over rows: with d_c = f_c - f_y and p = softmax(s f),
/// the loss of s f, Σ_c p_c d_c, Var_p d, and the largest and smallest d_c of a wrong class.
struct RaySums {
  double loss = 0, slope = 0, curvature = 0;
  double largest, smallest;
};
RaySums ray_rows(const float* logits, const int64_t* targets, int64_t rows, int64_t classes, double scale);
RaySums ray_rows(const double* logits, const int64_t* targets, int64_t rows, int64_t classes, double scale);

/// Σ (f_c - mean_c f)², over all rows.
double centred_square_sum(const float* logits, int64_t rows, int64_t classes);
double centred_square_sum(const double* logits, int64_t rows, int64_t classes);

}  // namespace logodds
