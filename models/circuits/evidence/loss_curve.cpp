#include "models/circuits/evidence/loss_curve.h"

#include <ATen/ATen.h>

#include <cmath>

#include "core/log_odds.h"
#include "core/seeds.h"

namespace logodds {

namespace {

/// Least-squares slopes of ln L [S,K+1] against k = 0 … K, [S].
Tensor slopes(const Tensor& loss_SK) {
  const Tensor k = at::arange(loss_SK.size(1), at::kDouble), from_mean = k - k.mean();
  return at::mv(loss_SK.log(), from_mean) / from_mean.square().sum();
}

}  // namespace

LossCurve loss_curve(const Circuits& circuits, const std::vector<int64_t>& order, const Tensor& targets_N,
                     const Tensor& samples_B, int64_t seed) {
  const Tensor targets = targets_N.index_select(0, samples_B);
  Tensor logits = circuits.sum({}).index_select(0, samples_B);
  std::vector<Tensor> losses;
  LossCurve curve{};
  for (size_t k = 0; k <= order.size(); ++k) {
    if (k > 0) logits += circuits.part(order[k - 1]).index_select(0, samples_B);
    losses.push_back(cross_entropy(logits, targets).cpu());
    curve.loss.push_back(losses.back().mean().item<double>());
    curve.accuracy.push_back(accuracy(logits, targets).item<double>());
  }
  const Tensor losses_KB = at::stack(losses);
  curve.slope = slopes(losses_KB.mean(1, true).t()).item<double>();
  const int64_t B = samples_B.size(0), resamples = 1000;
  auto generator = stream(seed, "bootstrap");
  std::vector<Tensor> found;
  for (int64_t done = 0; done < resamples; done += 100) {
    const Tensor drawn = at::randint(B, {100, B}, generator, at::kLong);
    const Tensor weights = at::zeros({100, B}, at::kDouble).scatter_add_(1, drawn, at::ones({100, B}, at::kDouble));
    found.push_back(slopes(at::mm(weights, losses_KB.t()) / static_cast<double>(B)));
  }
  const Tensor interval = at::quantile(at::cat(found), at::tensor({0.025, 0.975}, at::kDouble));
  curve.slope_low = interval[0].item<double>();
  curve.slope_high = interval[1].item<double>();
  return curve;
}

}  // namespace logodds
