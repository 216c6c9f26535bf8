#include <gtest/gtest.h>

#include <cmath>

#include "core/calibration.h"
#include "core/log_odds.h"
#include "core/seeds.h"
#include "models/circuits/evidence/ablation.h"
#include "models/circuits/evidence/independence.h"
#include "models/circuits/evidence/loss_curve.h"
#include "models/circuits/evidence/random_model.h"
#include "models/circuits/evidence/scales.h"
#include "models/circuits/evidence/score.h"

namespace logodds {
namespace {

/// Circuits that are what they are given to be.
class Given : public Circuits {
 public:
  explicit Given(std::vector<Tensor> parts) : parts_(std::move(parts)) {
    for (size_t p = 0; p < parts_.size(); ++p) labels_.push_back("part " + std::to_string(p));
  }
  const std::vector<std::string>& labels() const override { return labels_; }
  Tensor part(int64_t p) const override { return centred(parts_[static_cast<size_t>(p)]); }

 protected:
  Tensor zeros() const override { return at::zeros_like(parts_[0]); }

 private:
  std::vector<Tensor> parts_;
  std::vector<std::string> labels_;
};

std::vector<int64_t> first(int64_t count) {
  std::vector<int64_t> numbers;
  for (int64_t i = 0; i < count; ++i) numbers.push_back(i);
  return numbers;
}

Tensor normal(at::IntArrayRef shape, const std::string& purpose, int64_t seed = 3) {
  auto generator = stream(seed, purpose);
  return at::randn(shape, generator, at::kDouble);
}

SubsetValues values_of(const Given& circuits, const Tensor& targets) {
  return subset_values(circuits, first(circuits.size()), circuits.sum(first(circuits.size())), targets,
                       at::arange(targets.size(0)));
}

/// Two classes, right answer 0: `nats` of evidence [B] for it.
Tensor binary(const Tensor& nats_B) { return at::stack({nats_B, at::zeros_like(nats_B)}, 1); }

/// Each input is owned by one of K circuits, which decides it; the others are silent there.
Given router(int64_t circuits, int64_t inputs_each) {
  std::vector<Tensor> parts;
  const Tensor owner = at::arange(circuits).repeat_interleave(inputs_each);
  for (int64_t i = 0; i < circuits; ++i) parts.push_back(binary(owner.eq(i).to(at::kDouble) * 20));
  return Given(parts);
}

/// Every circuit is erased on half of the inputs, independently: all 2^K patterns, one input each.
Given erasure(int64_t circuits) {
  std::vector<Tensor> parts;
  const Tensor pattern = at::arange(int64_t{1} << circuits);
  for (int64_t i = 0; i < circuits; ++i) {
    parts.push_back(binary(pattern.bitwise_right_shift(i).bitwise_and(1).to(at::kDouble) * 20));
  }
  return Given(parts);
}

TEST(Ablation, TheRouterTaskIsPictureOneAndNotPictureTwo) {
  const Given task = router(5, 8);
  const auto pictures = ablation_pictures(values_of(task, at::zeros({40}, at::kLong)));
  EXPECT_NEAR(pictures.accuracy.r_squared, 1, 1e-12);
  EXPECT_LT(pictures.log_loss.r_squared, 0.9);
  EXPECT_NEAR(pictures.accuracy.effect_K[2].item<double>(), 0.2, 1e-12);
  EXPECT_LT(pictures.index, 0);
}

TEST(Ablation, TheErasureTaskIsPictureTwoAndNotPictureOne) {
  const auto values = values_of(erasure(6), at::zeros({64}, at::kLong));
  // L(S) = ln 2 · (1/2)^|S| up to the finite evidence: the closed form.
  EXPECT_NEAR(values.loss[0].item<double>(), std::log(2), 1e-12);
  EXPECT_NEAR(values.loss[0b010110].item<double>(), std::log(2) / 8, 1e-8);
  const auto pictures = ablation_pictures(values);
  EXPECT_GT(pictures.log_loss.r_squared, 0.99);
  EXPECT_LT(pictures.accuracy.r_squared, 0.9);
  EXPECT_NEAR(pictures.log_loss.effect_K[0].item<double>(), -std::log(2), 1e-6);
  EXPECT_GT(pictures.index, 0.1);
}

TEST(Ablation, MarginsOfTheReadoutDoNotInteract) {
  std::vector<Tensor> parts;
  for (int i = 0; i < 6; ++i) parts.push_back(normal({50, 9}, "part", i));
  const auto values = values_of(Given(parts), at::arange(50).remainder(9));
  EXPECT_LT(shapley_interactions(values.margin, 6).abs().max().item<double>(), 1e-13);
  EXPECT_GT(shapley_interactions(values.accuracy, 6).abs().max().item<double>(), 1e-3);
  EXPECT_NEAR(additive_fit(values.margin, 6).r_squared, 1, 1e-12);
}

TEST(Ablation, ShapleyInteractionsOfAPairAndOfATriple) {
  // v = 1 where both of players 0 and 1 are kept: I_01 = 1 whatever the others do. v = 1 where 0, 1 and 2 are: every
  // pair of them shares it, I = 1/2 each (S must hold the third: half of the orders).
  const Tensor subset = at::arange(16);
  const auto kept = [&](int64_t i) { return subset.bitwise_right_shift(i).bitwise_and(1).to(at::kDouble); };
  const Tensor pair = shapley_interactions(kept(0) * kept(1), 4),
               triple = shapley_interactions(kept(0) * kept(1) * kept(2), 4);
  EXPECT_NEAR(pair[0][1].item<double>(), 1, 1e-14);
  EXPECT_NEAR(pair[0][2].item<double>(), 0, 1e-14);
  EXPECT_NEAR(triple[0][1].item<double>(), 0.5, 1e-14);
  EXPECT_NEAR(triple[1][2].item<double>(), 0.5, 1e-14);
  EXPECT_NEAR(triple[0][3].item<double>(), 0, 1e-14);
}

TEST(Ablation, TheFitOverAllSubsetsIsLeastSquares) {
  const Tensor value = normal({32}, "value"), subset = at::arange(32);
  std::vector<Tensor> columns{at::ones({32}, at::kDouble)};
  for (int64_t i = 0; i < 5; ++i) columns.push_back(subset.bitwise_right_shift(i).bitwise_and(1).to(at::kDouble));
  const Tensor X = at::stack(columns, 1), beta = std::get<0>(at::linalg_lstsq(X, value.unsqueeze(1))).squeeze(1);
  const double left = (at::mv(X, beta) - value).square().sum().item<double>();
  const auto fit = additive_fit(value, 5);
  EXPECT_LT((fit.effect_K - beta.narrow(0, 1, 5)).abs().max().item<double>(), 1e-12);
  EXPECT_NEAR(fit.r_squared, 1 - left / (value - value.mean()).square().sum().item<double>(), 1e-12);
}

TEST(LossCurve, ErasuresHalveTheLossWithEachCircuit) {
  const Given task = erasure(8);
  const Tensor targets = at::zeros({256}, at::kLong);
  const auto curve = loss_curve(task, first(4), targets, at::arange(256));
  ASSERT_EQ(curve.loss.size(), 5u);
  for (size_t k = 0; k < 5; ++k) EXPECT_NEAR(curve.loss[k], std::log(2) * std::pow(0.5, k), 1e-8);
  EXPECT_NEAR(curve.slope, -std::log(2), 1e-6);
  EXPECT_LT(curve.slope_low, curve.slope);
  EXPECT_GT(curve.slope_high, curve.slope);
  EXPECT_EQ(curve.accuracy[1], 0.5);
}

TEST(LossCurve, UniformMarginsHaveTheClosedFormAndNoSpread) {
  // Every circuit says the same on every input: L_k = ln(1 + e^{-k·nats}).
  std::vector<Tensor> parts(6, binary(at::full({30}, 3.0, at::kDouble)));
  const auto curve = loss_curve(Given(parts), first(6), at::zeros({30}, at::kLong), at::arange(30));
  for (size_t k = 0; k < 7; ++k) EXPECT_NEAR(curve.loss[k] / std::log1p(std::exp(-3.0 * k)), 1, 1e-10);
  EXPECT_NEAR(curve.slope_low, curve.slope, 1e-10);
  EXPECT_NEAR(curve.slope_high, curve.slope, 1e-10);
}

TEST(LossCurve, TheBootstrapIntervalCoversAsOftenAsItSays) {
  // One circuit of random evidence: the slope is ln L(1) - ln 2, and its value on many samples is known.
  const Tensor many = normal({100000}, "many") + 1;
  const double truth = std::log(cross_entropy(binary(many), at::zeros({100000}, at::kLong)).mean().item<double>()) -
                       std::log(std::log(2));
  int covered = 0;
  for (int64_t trial = 0; trial < 100; ++trial) {
    const Given task({binary(normal({80}, "trial", trial) + 1)});
    const auto curve = loss_curve(task, {0}, at::zeros({80}, at::kLong), at::arange(80), trial);
    covered += curve.slope_low < truth && truth < curve.slope_high ? 1 : 0;
  }
  EXPECT_GE(covered, 86);
  EXPECT_LE(covered, 100);
}

TEST(RandomModel, AllFrequenciesHaveAClosedForm) {
  const int64_t p = 53;
  for (const double A : {0.1, 1.0, 3.0}) {
    const double expected = std::log1p((p - 1) * std::exp(-p * A / 2));
    EXPECT_NEAR(random_model_loss(p, first(27), std::vector<double>(27, A)) / expected, 1, 1e-10);  // 0 adds nothing
  }
}

TEST(RandomModel, IsTheCrossEntropyOfItsLogits) {
  const int64_t p = 31;
  const Tensor delta = at::arange(p, at::kDouble) * (2 * M_PI / static_cast<double>(p));
  for (const double A : {4.0, -2.0}) {
    const Tensor logits = (A * (3 * delta).cos() + 7 * (5 * delta).cos()).unsqueeze(0);
    EXPECT_NEAR(random_model_loss(p, {3, 5}, {A, 7}), cross_entropy(logits, at::zeros({1}, at::kLong)).item<double>(),
                1e-12);
  }
}

TEST(RandomModel, ItsMeanOverAllFrequenciesIsTheAnnealedValue) {
  // E[Z] = (p-1) g_p(A)^k for independent uniform κ: .3666 for p = 53, A = 4, k = 3.
  const int64_t p = 53;
  double sum = 0;
  for (int64_t i = 1; i <= 26; ++i) {
    for (int64_t j = 1; j <= 26; ++j) {
      for (int64_t k = 1; k <= 26; ++k) sum += std::expm1(random_model_loss(p, {i, j, k}, {4, 4, 4}));
    }
  }
  EXPECT_NEAR(sum / (26 * 26 * 26), 0.3666, 5e-5);
}

TEST(Scales, OfOneCircuitAloneAreTheOptimalScaleOfTheLogits) {
  const Tensor logits = 3 * normal({200, 5}, "logits"), targets = (at::arange(200) * 7).remainder(5);
  const Tensor informed = logits + at::one_hot(targets, 5) * 2;
  const auto found = optimal_scales({}, {informed}, targets);
  const auto reference = optimal_scale(informed, targets);
  EXPECT_NEAR(found.scale[0], reference.scale, 1e-7);
  EXPECT_NEAR(found.loss, reference.loss, 1e-12);
}

TEST(Scales, IndependentWitnessesAreCalibratedTogetherAndADuplicateSharesItsScale) {
  // Gaussian evidence x_i | y: m_i = 2 μ x_i is the exact log-odds, so every joint scale is 1; one witness counted
  // twice is worth ½ + ½.
  const int64_t B = 40000;
  const Tensor targets = at::arange(B).remainder(2), sign = 1 - 2 * targets.to(at::kDouble);
  std::vector<Tensor> parts;
  for (const double mu : {0.5, 0.8, 1.0})
    parts.push_back(binary(2 * mu * (mu * sign + normal({B}, "witness", static_cast<int64_t>(mu * 10)))));
  const auto joint = optimal_scales({}, parts, targets);
  for (const double scale : joint.scale) EXPECT_NEAR(scale, 1, 0.06);
  const auto bloated = optimal_scales({}, {parts[0], 4 * parts[1], parts[2]}, targets);
  EXPECT_NEAR(bloated.scale[1] * 4, joint.scale[1], 1e-6);
  const auto single = optimal_scales({}, {parts[0] + parts[0]}, targets);
  EXPECT_NEAR(single.scale[0], 0.5, 0.03);
  const auto with_rest = optimal_scales(parts[1] + parts[2], {3 * parts[0]}, targets);
  EXPECT_NEAR(with_rest.scale[0], 1.0 / 3, 0.03);
}

TEST(Scales, AreNotFiniteWhereThePartsPutEverySampleRight) {
  const Tensor targets = at::arange(30).remainder(3), right = at::one_hot(targets, 3).to(at::kDouble);
  EXPECT_TRUE(std::isnan(optimal_scales({}, {right, normal({30, 3}, "noise")}, targets).scale[0]));
}

TEST(CalibrationError, IsTheGapBetweenConfidenceAndAccuracy) {
  // 1000 samples at confidence σ(2) = .8808, of which 60 % are right.
  const Tensor logits = binary(at::full({1000}, 2.0, at::kDouble));
  const Tensor targets = at::cat({at::zeros({600}, at::kLong), at::ones({400}, at::kLong)});
  const Tensor mixed = targets.index_select(0, (at::arange(1000) * 337).remainder(1000));
  EXPECT_NEAR(expected_calibration_error(logits, mixed), 1 / (1 + std::exp(-2.0)) - 0.6, 0.02);
  const Tensor honest = binary(at::full({1200}, std::log(7.0), at::kDouble));  // 7 of 8 right, in every bin of 80
  EXPECT_NEAR(expected_calibration_error(honest, at::arange(1200).remainder(8).eq(0).to(at::kLong)), 0, 1e-12);
}

TEST(Independence, CorrelationIsConditionalOnTheClass) {
  // Both rows follow the label (correlated overall) and are independent given it; a third repeats the first.
  const Tensor targets = at::arange(6000).remainder(3), label = 5 * targets.to(at::kDouble);
  const Tensor x = label + normal({6000}, "x"), y = label + normal({6000}, "y");
  const Tensor correlation = class_conditional_correlation(at::stack({x, y, 2 * x - label}), targets);
  EXPECT_NEAR(correlation[0][1].item<double>(), 0, 0.05);
  EXPECT_NEAR(correlation[0][2].item<double>(), 1, 1e-10);
  EXPECT_EQ(total_correlation(correlation), std::numeric_limits<double>::infinity());
}

TEST(Independence, TotalCorrelationOfTwoGaussiansHasTheClosedForm) {
  const Tensor r = at::tensor({1.0, 0.6, 0.6, 1.0}, at::kDouble).view({2, 2});
  EXPECT_NEAR(total_correlation(r), -0.5 * std::log(1 - 0.36), 1e-12);
  EXPECT_NEAR(total_correlation(at::eye(4, at::kDouble)), 0, 1e-12);
}

TEST(Independence, ConditionalInformationFindsADependenceThatCorrelationMisses) {
  const Tensor targets = at::arange(4000).remainder(4), x = normal({4000}, "x"), y = normal({4000}, "y");
  const auto found = conditional_information(at::stack({x, y, x.square() + 0.1 * y, x}), targets);
  EXPECT_GT(found.p_value_PP[0][1].item<double>(), 0.01);
  EXPECT_NEAR(found.information_PP[0][1].item<double>(), found.null_PP[0][1].item<double>(), 0.004);
  EXPECT_LT(found.p_value_PP[0][2].item<double>(), 0.011);
  EXPECT_GT(found.information_PP[0][2].item<double>(), 0.3);
  EXPECT_NEAR(found.information_PP[0][3].item<double>(), std::log(4), 1e-12);  // the same bins: all of H
}

TEST(Additivity, ASumOfIndependentWitnessesCannotBeImprovedAndAClippedOneCan) {
  const int64_t B = 2000;
  const Tensor targets = at::arange(B).div(2, "floor").remainder(2), sign = 1 - 2 * targets.to(at::kDouble);
  const Tensor one = binary(2 * 0.7 * (0.7 * sign + normal({B}, "one"))),
               two = binary(2 * 0.7 * (0.7 * sign + normal({B}, "two")));
  const Tensor samples = at::arange(B);
  const auto honest = additivity(Given({one, two}), {0, 1}, targets, samples);
  EXPECT_NEAR(honest.fitted_loss, honest.sum_loss, 0.02);
  const auto loud = additivity(Given({4 * one, two}), {0, 1}, targets, samples);
  EXPECT_LT(loud.fitted_loss, loud.sum_loss - 0.1);
}

TEST(Additivity, ExplainedIsOneForTheSumAndZeroForNothing) {
  const Tensor logits = normal({20, 4}, "logits");
  EXPECT_NEAR(explained(logits, logits + 3), 1, 1e-12);
  EXPECT_NEAR(explained(logits, at::zeros_like(logits)), 0, 1e-12);
}

TEST(Score, CountsTheNamedSamplesOnly) {
  const Tensor logits = binary(at::tensor({2.0, -1.0, 5.0}, at::kDouble)), targets = at::zeros({3}, at::kLong);
  const Score two = score(logits, targets, at::tensor({0, 1}));
  EXPECT_NEAR(two.loss, (std::log1p(std::exp(-2.0)) + std::log1p(std::exp(1.0))) / 2, 1e-12);
  EXPECT_EQ(two.accuracy, 0.5);
}

TEST(Distribution, GivesMeanAndQuantiles) {
  const auto found = distribution(at::arange(101, at::kDouble));
  EXPECT_EQ(found.mean, 50);
  EXPECT_EQ(found.quantiles, (std::vector<double>{0, 1, 5, 25, 50, 75, 95, 99, 100}));
}

}  // namespace
}  // namespace logodds
