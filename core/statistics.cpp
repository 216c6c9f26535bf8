#include "core/statistics.h"

#include <ATen/ATen.h>

#include <cmath>
#include <numbers>
#include <numeric>

namespace logodds {

namespace {

double mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

/// Pr[|t| < q], by Simpson's rule on the density with t = √ν tan θ, where it is cos^{ν-1} θ: smooth and bounded.
double student_within(int degrees, double q) {
  constexpr int kSteps = 1000;
  const double end = std::atan(q / std::sqrt(degrees)), step = end / kSteps;
  double sum = 0;
  for (int i = 0; i <= kSteps; ++i) {
    const double weight = i == 0 || i == kSteps ? 1 : i % 2 == 1 ? 4 : 2;
    sum += weight * std::pow(std::cos(i * step), degrees - 1);
  }
  const double log_scale = std::lgamma((degrees + 1) / 2.0) - std::lgamma(degrees / 2.0);
  return 2 * std::exp(log_scale) / std::sqrt(std::numbers::pi) * sum * step / 3;
}

}  // namespace

double least_squares_slope(const std::vector<double>& x, const std::vector<double>& y) {
  const double mean_x = mean(x), mean_y = mean(y);
  double xx = 0, xy = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    xx += (x[i] - mean_x) * (x[i] - mean_x);
    xy += (x[i] - mean_x) * (y[i] - mean_y);
  }
  return xx > 0 ? xy / xx : std::nan("");
}

double student_quantile(int degrees, double within) {
  double low = 0, high = 1;
  while (student_within(degrees, high) < within) high *= 2;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (student_within(degrees, middle) < within ? low : high) = middle;
  }
  return (low + high) / 2;
}

MeanInterval mean_interval(const std::vector<double>& values) {
  const double centre = mean(values);
  const auto n = static_cast<double>(values.size());
  if (values.size() < 2) return {centre, std::nan(""), std::nan("")};
  double squares = 0;
  for (const double value : values) squares += (value - centre) * (value - centre);
  const double half = student_quantile(static_cast<int>(n) - 1, 0.95) * std::sqrt(squares / (n - 1) / n);
  return {centre, centre - half, centre + half};
}

MeanError mean_error(const Tensor& values) {
  const auto n = static_cast<double>(values.numel());
  const double error = n < 2 ? std::nan("") : values.std().item<double>() / std::sqrt(n);  // LibTorch would warn
  return {values.mean().item<double>(), error};
}

}  // namespace logodds
