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

/// Minimum of L, from a scale and L, L' and L'' there. Its loss is the last one known less what the last step gains.
OptimalScale newton(const Plain& logits, double scale, RaySums here) {
  double low = -kInfinity, high = kInfinity, loss = here.loss;
  const double widest =
      4 / rms_of(logits);  // a step of a few nats: far from the minimum Newton overshoots on flat tails
  for (int iteration = 0; iteration < 200; ++iteration, here = ray(logits, scale)) {
    (here.slope < 0 ? low : high) = scale;
    double step = here.curvature > 0 ? -here.slope / here.curvature : (here.slope < 0 ? kInfinity : -kInfinity);
    const double limit = std::max(widest, std::abs(scale));
    step = std::clamp(step, -limit, limit);
    double next = scale + step;
    if (next <= low || next >= high) next = std::isfinite(low) && std::isfinite(high) ? (low + high) / 2 : next;
    const double moved = next - scale;
    scale = next;
    loss = here.loss + here.slope * moved / 2;
    if (std::abs(moved) <= 1e-6 * std::max(std::abs(scale), 1e-3 * widest)) break;
  }
  return {scale, loss, 0};
}

}  // namespace

double centred_rms(const Tensor& logits) { return rms_of(Plain(logits)); }

double scaled_loss(const Tensor& logits, const Tensor& targets, double scale) {
  return ray(Plain(logits, targets), scale).loss;
}

OptimalScale optimal_scale(const Tensor& logits, const Tensor& targets, double guess) {
  const Plain plain(logits, targets);
  const RaySums at_one = ray(plain, 1);
  const auto ties = [&](bool largest) {
    const Tensor wide = logits.to(at::kDouble);
    return mean_log_ties(wide - wide.gather(-1, targets.unsqueeze(-1)), largest);
  };
  if (at_one.largest <= 0 && at_one.smallest >= 0) return {std::nan(""), ties(true), at_one.loss};
  if (at_one.largest <= 0) return {kInfinity, ties(true), at_one.loss};
  if (at_one.smallest >= 0) return {-kInfinity, ties(false), at_one.loss};
  const double start = std::isfinite(guess) && guess > 0 ? guess : 1;
  OptimalScale result = newton(plain, start, start == 1 ? at_one : ray(plain, start));
  result.loss_at_one = at_one.loss;
  return result;
}

LossChange split_loss_change(const KnownLogits& before, const KnownLogits& after, const Tensor& targets) {
  if (before.rms == 0 || after.rms == 0) return {std::nan(""), std::nan(""), std::nan("")};
  const double new_scale_old_shape = scaled_loss(before.logits, targets, after.rms / before.rms);
  const double old_scale_new_shape = scaled_loss(after.logits, targets, before.rms / after.rms);
  return {.total = after.loss - before.loss,
          .radial = ((new_scale_old_shape - before.loss) + (after.loss - old_scale_new_shape)) / 2,
          .shape = ((old_scale_new_shape - before.loss) + (after.loss - new_scale_old_shape)) / 2};
}

LossChange split_loss_change(const Tensor& before, const Tensor& after, const Tensor& targets) {
  const auto known = [&](const Tensor& logits) {
    return KnownLogits{logits, centred_rms(logits), scaled_loss(logits, targets, 1)};
  };
  return split_loss_change(known(before), known(after), targets);
}

}  // namespace logodds
