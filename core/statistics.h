#pragma once

#include <vector>

#include "core/tensor.h"

namespace logodds {

/// Slope of the least-squares line through points (x_i, y_i); NaN for fewer than two different x.
double least_squares_slope(const std::vector<double>& x, const std::vector<double>& y);

/// Quantile of Student's t distribution with that many degrees of freedom: Pr[|t| < q] = `within`.
double student_quantile(int degrees, double within);

/// Mean of independent values and its 95 % interval, mean ± t s/√n: NaN limits for a single value.
struct MeanInterval {
  double mean, low, high;
};
MeanInterval mean_interval(const std::vector<double>& values);

/// Mean of independent values and its standard error s/√n: NaN for a single value.
struct MeanError {
  double mean, error;
};
MeanError mean_error(const Tensor& values);

}  // namespace logodds
