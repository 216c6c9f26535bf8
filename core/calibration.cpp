#include "core/calibration.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/log_odds.h"
#include "core/log_odds_kernel.h"

namespace logodds {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Logits and targets as the kernels take them: on the CPU, contiguous, float32 or float64.
struct Plain {
  explicit Plain(const Tensor& logits, const Tensor& targets = {})
      : f(logits.cpu().contiguous()), V(f.size(-1)), rows(f.numel() / V) {
    if (targets.defined()) y = targets.cpu().to(at::kLong).contiguous();
  }

  /// Sums over blocks of rows, in order: the same for any number of threads. `of(pointer, first row, rows)`.
  template <class Result, class Of>
  std::vector<Result> blocks(const Of& of) const {
    constexpr int64_t kRows = 128;
    std::vector<Result> results(static_cast<size_t>((rows + kRows - 1) / kRows));
    at::parallel_for(0, static_cast<int64_t>(results.size()), 1, [&](int64_t begin, int64_t end) {
      for (int64_t block = begin; block < end; ++block) {
        const int64_t first = block * kRows, count = std::min(kRows, rows - first);
        results[static_cast<size_t>(block)] = f.scalar_type() == at::kFloat
                                                  ? of(f.const_data_ptr<float>() + first * V, first, count)
                                                  : of(f.const_data_ptr<double>() + first * V, first, count);
      }
    });
    return results;
  }

  Tensor f, y;
  int64_t V, rows;
};

/// L(s), L'(s), L''(s), and the extremes over all samples.
RaySums ray(const Plain& logits, double scale) {
  const auto blocks = logits.blocks<RaySums>([&](const auto* f, int64_t first, int64_t count) {
    return ray_rows(f, logits.y.const_data_ptr<int64_t>() + first, count, logits.V, scale);
  });
  RaySums all{.largest = -kInfinity, .smallest = kInfinity};
  for (const RaySums& block : blocks) {
    all.loss += block.loss;
    all.slope += block.slope;
    all.curvature += block.curvature;
    all.largest = std::max(all.largest, block.largest);
    all.smallest = std::min(all.smallest, block.smallest);
  }
  for (double* sum : {&all.loss, &all.slope, &all.curvature}) *sum /= static_cast<double>(logits.rows);
  return all;
}

double rms_of(const Plain& logits) {
  double sum = 0;
  const auto blocks = logits.blocks<double>(
      [&](const auto* f, int64_t, int64_t count) { return centred_square_sum(f, count, logits.V); });
  for (const double block : blocks) sum += block;
  return std::sqrt(sum / static_cast<double>(logits.f.numel()));
}

double mean_log_ties(const Tensor& differences, bool largest) {
  const Tensor extreme = largest ? differences.amax(-1, true) : differences.amin(-1, true);
  return (differences == extreme).sum(-1).to(at::kDouble).log().mean().item<double>();
}

/// From L, L' and L'' at s = 1. The loss is the one before the last step, which was too short to change it.
OptimalScale newton(const Plain& logits, RaySums here) {
  double low = -kInfinity, high = kInfinity, scale = 1;
  const double widest =
      4 / rms_of(logits);  // a step of a few nats: far from the minimum Newton overshoots on flat tails
  for (int iteration = 0; iteration < 200; ++iteration, here = ray(logits, scale)) {
    (here.slope < 0 ? low : high) = scale;
    double step = here.curvature > 0 ? -here.slope / here.curvature : (here.slope < 0 ? kInfinity : -kInfinity);
    const double limit = std::max(widest, std::abs(scale));
    step = std::clamp(step, -limit, limit);
    double next = scale + step;
    if (next <= low || next >= high) next = std::isfinite(low) && std::isfinite(high) ? (low + high) / 2 : next;
    const double moved = std::abs(next - scale);
    scale = next;
    if (moved <= 1e-10 * std::max(std::abs(scale), 1e-3 * widest)) break;
  }
  return {scale, here.loss};
}

}  // namespace

double centred_rms(const Tensor& logits) { return rms_of(Plain(logits)); }

double scaled_loss(const Tensor& logits, const Tensor& targets, double scale) {
  return ray(Plain(logits, targets), scale).loss;
}

OptimalScale optimal_scale(const Tensor& logits, const Tensor& targets) {
  const Plain plain(logits, targets);
  const RaySums start = ray(plain, 1);
  const auto ties = [&](bool largest) {
    const Tensor wide = logits.to(at::kDouble);
    return mean_log_ties(wide - wide.gather(-1, targets.unsqueeze(-1)), largest);
  };
  if (start.largest <= 0 && start.smallest >= 0) return {std::nan(""), ties(true)};
  if (start.largest <= 0) return {kInfinity, ties(true)};
  if (start.smallest >= 0) return {-kInfinity, ties(false)};
  return newton(plain, start);
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
