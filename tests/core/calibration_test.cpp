#include "core/calibration.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "core/log_odds.h"
#include "core/seeds.h"

namespace logodds {
namespace {

constexpr int64_t kClasses = 11;

/// Labels drawn from the softmax of random logits: calibrated by construction, up to sampling.
struct Calibrated {
  Tensor logits;
  Tensor targets;
};
Calibrated calibrated(int64_t samples) {
  auto generator = stream(5, "calibrated");
  const Tensor logits = at::randn({samples, kClasses}, generator, at::kDouble) * 2;
  return {logits, at::multinomial(logits.softmax(-1), 1, true, generator).squeeze(1)};
}

TEST(Calibration, OptimalScaleIsTheMinimumOfTheRay) {
  const auto [logits, targets] = calibrated(500);
  const OptimalScale optimum = optimal_scale(logits, targets);
  EXPECT_NEAR(optimum.loss, scaled_loss(logits, targets, optimum.scale), 1e-15);
  for (const double factor : {0.9, 0.999, 1.001, 1.1}) {
    EXPECT_GT(scaled_loss(logits, targets, optimum.scale * factor), optimum.loss) << factor;
  }
}

TEST(Calibration, LogitsScaledBySHaveOptimalScaleOneOverS) {
  const auto [logits, targets] = calibrated(500);
  const double base = optimal_scale(logits, targets).scale;
  for (const double s : {1e-3, 0.1, 3.0, 50.0, 1e4}) {
    EXPECT_NEAR(optimal_scale(logits * s, targets).scale * s / base, 1, 1e-9) << s;
  }
}

TEST(Calibration, ClassConstantsDoNotMatter) {
  const auto [logits, targets] = calibrated(200);
  const Tensor shifted = logits + at::arange(200, at::kDouble).unsqueeze(1);
  EXPECT_NEAR(optimal_scale(shifted, targets).scale, optimal_scale(logits, targets).scale, 1e-9);
  EXPECT_NEAR(centred_rms(shifted), centred_rms(logits), 1e-11);
}

TEST(Calibration, SeparableLogitsHaveInfiniteScaleAndZeroLoss) {
  const Tensor logits = at::eye(3, at::kDouble);
  const OptimalScale optimum = optimal_scale(logits, at::arange(3));
  EXPECT_EQ(optimum.scale, INFINITY);
  EXPECT_EQ(optimum.loss, 0);
}

TEST(Calibration, AlwaysWrongLogitsHaveScaleMinusInfinityAndConstantOnesNone) {
  EXPECT_EQ(optimal_scale(-at::eye(3, at::kDouble), at::arange(3)).scale, -INFINITY);
  EXPECT_TRUE(std::isnan(optimal_scale(at::ones({4, 3}), at::zeros({4}, at::kLong)).scale));
}

TEST(Calibration, AntiCorrelatedLogitsHaveANegativeScale) {
  const auto [logits, targets] = calibrated(500);
  EXPECT_NEAR(optimal_scale(-logits, targets).scale, -optimal_scale(logits, targets).scale, 1e-9);
}

TEST(Calibration, OneWrongSampleAmongManyIsFound) {
  // 999 samples with margin 1 and one with margin -1, two classes: s* = ½·… solves 999 σ(-s) = σ(s), s* = ln 999.
  Tensor logits = at::zeros({1000, 2}, at::kDouble);
  logits.select(1, 0).fill_(1);
  Tensor targets = at::zeros({1000}, at::kLong);
  targets[0] = 1;
  EXPECT_NEAR(optimal_scale(logits, targets).scale, std::log(999.0), 1e-9);
}

TEST(Calibration, IdealGasPosteriorIsCalibratedWithinItsSamplingError) {
  // C uniform in Z_53; circuit i sees x_i = w_i C + von Mises(0, A); the posterior logits are Σ A cos(x_i - w_i c).
  const int64_t p = 53, samples = 20000;
  const double amplitude = 2;
  auto generator = stream(9, "ideal gas");
  const Tensor labels = at::randint(p, {samples}, generator, at::kLong);
  Tensor logits = at::zeros({samples, p}, at::kDouble);
  const Tensor grid = at::arange(20000, at::kDouble) * (2 * std::numbers::pi / 20000);
  const Tensor density = (grid.cos() * amplitude).exp();
  for (const int64_t frequency : {3, 10, 19}) {
    const Tensor noise = grid.index_select(0, at::multinomial(density, samples, true, generator));
    const double w = 2 * std::numbers::pi * static_cast<double>(frequency) / static_cast<double>(p);
    const Tensor x = labels.to(at::kDouble) * w + noise;
    logits += (x.unsqueeze(1) - at::arange(p, at::kDouble).unsqueeze(0) * w).cos() * amplitude;
  }
  // L''(1) = E Var_p f gives the standard error of s*: 1/√(n L'').
  const Tensor probabilities = logits.softmax(-1);
  const Tensor mean = (probabilities * logits).sum(-1, true);
  const double curvature = (probabilities * (logits - mean).square()).sum(-1).mean().item<double>();
  const double standard_error = 1 / std::sqrt(static_cast<double>(samples) * curvature);
  EXPECT_NEAR(optimal_scale(logits, labels).scale, 1, 4 * standard_error);
  EXPECT_NEAR(scaled_loss(logits, labels, 1), 2.276, 0.06);  // the Bayes loss of distinct random κ, theory section 7
}

TEST(Calibration, RadialAndShapePartsSumToTheChange) {
  const auto [before, targets] = calibrated(300);
  const auto [other, unused] = calibrated(301);
  const Tensor after = before * 1.7 + other.narrow(0, 1, 300) * 0.3;
  const LossChange change = split_loss_change(before, after, targets);
  EXPECT_NEAR(change.radial + change.shape, change.total, 1e-12);
  EXPECT_NEAR(change.total, scaled_loss(after, targets, 1) - scaled_loss(before, targets, 1), 1e-12);
}

TEST(Calibration, PureScalingIsAllRadialAndPureRotationAllShape) {
  const auto [logits, targets] = calibrated(300);
  const LossChange scaled = split_loss_change(logits, logits * 2, targets);
  EXPECT_NEAR(scaled.shape, 0, 1e-13);
  EXPECT_GT(std::abs(scaled.radial), 1e-3);
  const LossChange permuted = split_loss_change(logits, logits.roll(1, 1), targets);  // same norm, other shape
  EXPECT_NEAR(permuted.radial, 0, 1e-13);
  EXPECT_GT(std::abs(permuted.shape), 1e-3);
}

}  // namespace
}  // namespace logodds
