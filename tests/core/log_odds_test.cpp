#include "core/log_odds.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/seeds.h"

namespace logodds {
namespace {

Tensor random(at::IntArrayRef shape) {
  auto generator = stream(1, "test");
  return at::randn(shape, generator, at::kDouble) * 3;
}

TEST(LogOdds, CrossEntropyOfUniformLogitsIsLogV) {
  EXPECT_NEAR(cross_entropy(at::zeros({1, 5}), at::tensor({2})).item<double>(), std::log(5), 1e-15);
}

TEST(LogOdds, TinyLossesOfFloat32LogitsAreExact) {
  const Tensor logits = at::tensor({0.f, 80.f, 0.f, 30.f, 0.f, 200.f}).view({3, 2});
  const Tensor losses = cross_entropy(logits, at::tensor({1, 1, 1}));
  EXPECT_NEAR(losses[0].item<double>() / std::exp(-80.0), 1, 1e-14);  // float32 log-softmax would give 0
  EXPECT_NEAR(losses[1].item<double>() / std::exp(-30.0), 1, 1e-12);
  EXPECT_NEAR(losses[2].item<double>() / std::exp(-200.0), 1, 1e-13);
}

TEST(LogOdds, ExtremeLogitsStayFinite) {
  const auto result =
      cross_entropy_with_gradient(at::tensor({1e30f, 0.f, -1e30f, 1e30f}).view({2, 2}), at::tensor({1, 1}));
  EXPECT_TRUE(result.loss.isfinite().all().item<bool>());
  EXPECT_TRUE(result.gradient.isfinite().all().item<bool>());
}

TEST(LogOdds, ALogitThatIsNotFiniteMakesTheLossNaN) {
  for (const float bad : {NAN, INFINITY, -INFINITY}) {
    const auto result = cross_entropy_with_gradient(at::tensor({0.f, 1.f, bad}).view({1, 3}), at::tensor({1}));
    EXPECT_TRUE(std::isnan(result.loss.item<double>())) << bad;
    EXPECT_TRUE(result.gradient.isnan().any().item<bool>()) << bad;
  }
}

TEST(LogOdds, AgreesWithLogSoftmaxOfAnIndependentImplementation) {
  const Tensor logits = random({50, 7}), targets = at::arange(50).remainder(7);
  const Tensor expected = at::log_softmax(logits, -1).gather(1, targets.unsqueeze(1)).neg().squeeze(1);
  EXPECT_LT((cross_entropy(logits, targets) - expected).abs().max().item<double>(), 1e-13);
}

TEST(LogOdds, GradientAgreesWithFiniteDifferences) {
  const Tensor logits = random({4, 6}), targets = at::tensor({0, 5, 2, 2});
  const auto result = cross_entropy_with_gradient(logits, targets);
  const double h = 1e-6;
  for (int64_t b = 0; b < 4; ++b) {
    for (int64_t c = 0; c < 6; ++c) {
      Tensor up = logits.clone(), down = logits.clone();
      up[b][c] += h;
      down[b][c] -= h;
      const double slope =
          (cross_entropy(up, targets).sum() - cross_entropy(down, targets).sum()).item<double>() / (2 * h);
      EXPECT_NEAR(result.gradient[b][c].item<double>(), slope, 1e-8);
    }
  }
  EXPECT_LT(result.gradient.sum(-1).abs().max().item<double>(), 1e-15);  // softmax ignores a constant
}

TEST(LogOdds, TheTrueClassGradientDoesNotCancelInFloat32) {
  const auto result = cross_entropy_with_gradient(at::tensor({0.f, 40.f}).view({1, 2}), at::tensor({1}));
  EXPECT_NEAR(result.gradient[0][1].item<double>() / -std::exp(-40.0), 1, 1e-6);  // p_y - 1 would be 0
}

TEST(LogOdds, TheLoopsThatAGpuRunsEqualTheVectorisedKernel) {
  for (const auto type : {at::kFloat, at::kDouble}) {
    for (const int64_t classes : {1, 2, 31, 113}) {
      const Tensor logits = (random({3, 40, classes}) * 10).to(type), targets = at::arange(120).remainder(classes);
      const auto expected = cross_entropy_with_gradient(logits, targets.view({3, 40}), 0.1);
      const auto actual = cross_entropy_by_loops(logits, targets.view({3, 40}), 0.1);
      EXPECT_LT(((actual.loss - expected.loss) / expected.loss.clamp_min(1e-300)).abs().max().item<double>(), 1e-12);
      const double rounding = type == at::kFloat ? 1e-8 : 1e-16;
      EXPECT_LT((actual.gradient - expected.gradient).abs().max().item<double>(), rounding) << classes;
    }
  }
}

TEST(LogOdds, TheLoopsThatAGpuRunsKeepTinyLossesAndNoticeWhatIsNotFinite) {
  const Tensor logits = at::tensor({0.f, 80.f, 1e30f, -1e30f, 0.f, NAN, 0.f, INFINITY}).view({4, 2});
  const auto result = cross_entropy_by_loops(logits, at::tensor({1, 1, 0, 0}));
  EXPECT_NEAR(result.loss[0].item<double>() / std::exp(-80.0), 1, 1e-14);
  EXPECT_NEAR(result.gradient[0][1].item<double>() / -std::exp(-80.0), 1, 1e-6);
  EXPECT_EQ(result.loss[1].item<double>(), 2e30f);
  EXPECT_TRUE(result.loss.slice(0, 2).isnan().all().item<bool>());
  EXPECT_TRUE(result.gradient.slice(0, 2).isnan().all().item<bool>());
  EXPECT_TRUE(cross_entropy_by_loops(logits, at::tensor({1, 1, 2, -1})).loss.slice(0, 2).isnan().all().item<bool>());
}

TEST(LogOdds, MarginIsAgainstTheBestWrongClass) {
  const Tensor logits = at::tensor({1.f, 4.f, 2.f, 5.f, 4.f, 2.f}).view({2, 3});
  const Tensor targets = at::tensor({1, 1});
  EXPECT_TRUE(margin(logits, targets).equal(at::tensor({2.f, -1.f})));
  EXPECT_TRUE(runner_up(logits, targets).equal(at::tensor({2, 0})));
  EXPECT_EQ(accuracy(logits, targets).item<double>(), 0.5);
}

TEST(LogOdds, ATieIsNotAccurate) { EXPECT_EQ(accuracy(at::zeros({1, 3}), at::tensor({0})).item<double>(), 0); }

TEST(LogOdds, CentringRemovesTheClassMeanOnly) {
  const Tensor logits = random({3, 5});
  EXPECT_LT(centred(logits).sum(-1).abs().max().item<double>(), 1e-13);
  EXPECT_LT((centred(logits + 7) - centred(logits)).abs().max().item<double>(), 1e-13);
}

}  // namespace
}  // namespace logodds
