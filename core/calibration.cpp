#include "core/calibration.h"

#include <ATen/ATen.h>

#include <cmath>
#include <limits>

#include "core/log_odds.h"

namespace logodds {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Slope {
  double first;
  double second;
};

/// L'(s) and L''(s) from the differences d [B,V] (the true class's entry is 0).
Slope slope_at(const Tensor& differences, double scale) {
  const Tensor probabilities = at::softmax(differences * scale, -1);
  const Tensor weighted = probabilities * differences;
  const Tensor mean = weighted.sum(-1);
  const Tensor variance = weighted.mul(differences).sum(-1) - mean.square();
  return {mean.mean().item<double>(), variance.mean().item<double>()};
}

double mean_log_ties(const Tensor& differences, bool largest) {
  const Tensor extreme = largest ? differences.amax(-1, true) : differences.amin(-1, true);
  return (differences == extreme).sum(-1).to(at::kDouble).log().mean().item<double>();
}

double newton(const Tensor& differences, double rms) {
  double low = -kInfinity, high = kInfinity, scale = 1;
  const double widest = 4 / rms;  // a step of a few nats: far from the minimum Newton overshoots on flat tails
  for (int iteration = 0; iteration < 200; ++iteration) {
    const Slope slope = slope_at(differences, scale);
    (slope.first < 0 ? low : high) = scale;
    double step = slope.second > 0 ? -slope.first / slope.second : (slope.first < 0 ? kInfinity : -kInfinity);
    const double limit = std::max(widest, std::abs(scale));
    step = std::clamp(step, -limit, limit);
    double next = scale + step;
    if (next <= low || next >= high) next = std::isfinite(low) && std::isfinite(high) ? (low + high) / 2 : next;
    if (std::abs(next - scale) <= 1e-10 * std::max(std::abs(next), 1e-3 * widest)) return next;
    scale = next;
  }
  return scale;
}

}  // namespace

double centred_rms(const Tensor& logits) {
  return std::sqrt(centred(logits.to(at::kDouble)).square().mean().item<double>());
}

double scaled_loss(const Tensor& logits, const Tensor& targets, double scale) {
  return cross_entropy(logits.to(at::kDouble) * scale, targets).mean().item<double>();
}

OptimalScale optimal_scale(const Tensor& logits, const Tensor& targets) {
  const Tensor wide = logits.to(at::kDouble);
  const Tensor differences = wide - wide.gather(-1, targets.unsqueeze(-1));
  const bool never_above = differences.max().item<double>() <= 0;
  const bool never_below = differences.min().item<double>() >= 0;
  if (never_above && never_below) return {std::nan(""), mean_log_ties(differences, true)};
  if (never_above) return {kInfinity, mean_log_ties(differences, true)};
  if (never_below) return {-kInfinity, mean_log_ties(differences, false)};
  const double scale = newton(differences, centred_rms(wide));
  return {scale, scaled_loss(wide, targets, scale)};
}

LossChange split_loss_change(const Tensor& before, const Tensor& after, const Tensor& targets) {
  const double rho = centred_rms(before), rho_after = centred_rms(after);
  if (rho == 0 || rho_after == 0) return {std::nan(""), std::nan(""), std::nan("")};
  const double old_scale_old_shape = scaled_loss(before, targets, 1);
  const double new_scale_old_shape = scaled_loss(before, targets, rho_after / rho);
  const double old_scale_new_shape = scaled_loss(after, targets, rho / rho_after);
  const double new_scale_new_shape = scaled_loss(after, targets, 1);
  return {.total = new_scale_new_shape - old_scale_old_shape,
          .radial = ((new_scale_old_shape - old_scale_old_shape) + (new_scale_new_shape - old_scale_new_shape)) / 2,
          .shape = ((old_scale_new_shape - old_scale_old_shape) + (new_scale_new_shape - new_scale_old_shape)) / 2};
}

}  // namespace logodds
