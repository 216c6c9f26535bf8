#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numbers>

#include "core/log_odds.h"
#include "core/seeds.h"
#include "tests/training/small_pack.h"
#include "training/hooks/logit_bloat.h"
#include "training/hooks/logit_decomposition.h"
#include "training/hooks/margins.h"
#include "training/hooks/softmax_collapse.h"
#include "training/hooks/weight_norms.h"

namespace logodds {
namespace {

constexpr int64_t kP = 31;

Tensor cosine(const Tensor& targets, int64_t frequency) {
  const Tensor angle = (targets.unsqueeze(1) - at::arange(kP).unsqueeze(0)).to(at::kDouble) *
                       (2 * std::numbers::pi * static_cast<double>(frequency) / static_cast<double>(kP));
  return angle.cos();
}

Tensor noise(double size) {
  auto generator = stream(1, "noise");
  return at::randn({kP * kP, kP}, generator, at::kDouble) * size;
}

/// A snapshot of given logits on all pairs of Z_31; every third pair is a test pair.
struct Fixture {
  Mlp model{{}, {kP, 2, kP}};
  Parameters parameters{{{"w", {2}}}, 1, at::kDouble};
  Tensor targets = (at::arange(kP).repeat_interleave(kP) + at::arange(kP).repeat({kP})).remainder(kP);
  Tensor index = at::arange(kP * kP);
  Snapshot of(const Tensor& logits, int64_t step = 0) const {
    const Tensor is_test = index.remainder(3) == 0;
    return {.step = step,
            .run = 0,
            .model = model,
            .parameters = parameters,
            .inputs_NT = at::stack({index.div(kP, "floor"), index.remainder(kP)}, 1),
            .logits_NV = logits,
            .targets_N = targets,
            .train_B = index.masked_select(is_test.logical_not()),
            .test_B = index.masked_select(is_test)};
  }
};

TEST(LogitDecompositionHook, FindsTheCircuitsThatWerePutIn) {
  const Fixture fixture;
  Row row;
  LogitDecomposition({}).observe(
      fixture.of(6 * cosine(fixture.targets, 4) + 9 * cosine(fixture.targets, 11) + noise(0.2)), row);
  EXPECT_EQ(row["logit_decomposition.key_frequencies"], (std::vector<int64_t>{11, 4}));
  EXPECT_NEAR(row["logit_decomposition.cosine_coefficient"][10].get<double>(), 9, 0.02);
  EXPECT_NEAR(row["logit_decomposition.cosine_fve"][3].get<double>(), 36.0 / (36 + 81 + 2 * 0.04), 0.005);
  EXPECT_GT(row["logit_decomposition.key_fve"].get<double>(), 0.99);
  EXPECT_LT(row["logit_decomposition.completeness_error"].get<double>(), 1e-12);
  double shares = 0;
  for (const auto& share : row["logit_decomposition.energy_share"]) shares += share.get<double>();
  EXPECT_NEAR(shares, 1, 1e-12);
}

TEST(LogitDecompositionHook, RestrictedKeepsTheKeyCircuitsAndExcludedRemovesThem) {
  const Fixture fixture;
  const Tensor key = 6 * cosine(fixture.targets, 4) + 9 * cosine(fixture.targets, 11);
  Row row;
  LogitDecomposition({}).observe(fixture.of(key + noise(0.05)), row);
  const double clean = cross_entropy(key, fixture.targets).mean().item<double>();
  EXPECT_NEAR(row["logit_decomposition.cosine_loss_test"].get<double>(), clean, 0.01 * clean);
  EXPECT_NEAR(row["logit_decomposition.restricted_loss_train"].get<double>(), clean, 0.05 * clean);
  EXPECT_NEAR(row["logit_decomposition.excluded_loss_test"].get<double>(), std::log(kP), 0.05);  // only noise is left
}

TEST(LogitDecompositionHook, MarginsAddUpToTheMeanMargin) {
  const Fixture fixture;
  const Tensor logits = 3 * cosine(fixture.targets, 4) + noise(1);
  Row row;
  LogitDecomposition({}).observe(fixture.of(logits), row);
  double sum = 0;
  for (const auto& margin : row["logit_decomposition.margin"]) sum += margin.get<double>();
  EXPECT_NEAR(sum, margin(logits, fixture.targets).mean().item<double>(), 1e-12);
}

TEST(LogitDecompositionHook, WithoutKeyCircuitsTheRestrictedNetworkKnowsNothing) {
  const Fixture fixture;
  Row row;
  LogitDecomposition({}).observe(fixture.of(noise(1)), row);
  EXPECT_TRUE(row["logit_decomposition.key_frequencies"].empty());
  EXPECT_NEAR(row["logit_decomposition.restricted_loss_test"].get<double>(), std::log(kP), 1e-12);
}

TEST(LogitDecompositionHook, EveryBasisIsCompleteWhileANetworkIsTrained) {
  const std::vector<std::string> of_features{"forecasters", "input_gradient", "patch_shapley"};
  for (const auto& basis : decompositions().entries()) {
    if (std::ranges::count(of_features, basis.name) > 0) continue;
    Pack pack = SmallPack{.learning_rates = {0.03}}.make();
    LogitDecomposition::Options options;
    options.every_steps = 20;
    options.basis.select(basis.name);
    pack.hooks.emplace_back("logit_decomposition", std::make_unique<LogitDecomposition>(options));
    std::vector<Row> rows;
    TrainerEvents events;
    events.evaluated = [&](const std::vector<Row>& evaluated) { rows.push_back(evaluated[0]); };
    Trainer({.steps = 60, .evaluate_every_steps = 20}, std::move(pack), std::move(events)).run();
    ASSERT_EQ(rows.size(), 4u);
    EXPECT_LT(rows[3]["train_loss"].get<double>(), 0.5 * rows[0]["train_loss"].get<double>());
    for (const auto& row : rows) {
      EXPECT_LT(row["logit_decomposition.completeness_error"].get<double>(), 1e-5) << basis.name << row["step"];
      double shares = 0;
      for (const auto& share : row["logit_decomposition.energy_share"]) shares += share.get<double>();
      EXPECT_NEAR(shares, 1, 1e-5) << basis.name;
    }
  }
}

TEST(LogitBloatHook, ScaledLogitsShowTheirScale) {
  const Fixture fixture;
  const Tensor logits = cosine(fixture.targets, 4) + noise(1);
  Row plain, scaled;
  LogitBloat({}).observe(fixture.of(logits), plain);
  LogitBloat({}).observe(fixture.of(logits * 5), scaled);
  EXPECT_NEAR(scaled["logit_bloat.s_star_test"].get<double>() * 5, plain["logit_bloat.s_star_test"].get<double>(),
              1e-8);
  EXPECT_NEAR(scaled["logit_bloat.index"].get<double>() - plain["logit_bloat.index"].get<double>(), std::log(5), 1e-8);
  EXPECT_NEAR(scaled["logit_bloat.rms_train"].get<double>() / plain["logit_bloat.rms_train"].get<double>(), 5, 1e-12);
  EXPECT_GT(scaled["logit_bloat.calibration_gap_test"].get<double>(), 0);
  EXPECT_EQ(plain["logit_bloat.delta_test"], 0);
}

TEST(LogitBloatHook, APerfectNetworkHasInfiniteScaleWrittenAsNullAndTemperatureZero) {
  const Fixture fixture;
  Row row;
  LogitBloat({}).observe(fixture.of(cosine(fixture.targets, 1)), row);
  const Row written = Row::parse(row.dump());
  EXPECT_TRUE(written["logit_bloat.s_star_train"].is_null());
  EXPECT_EQ(written["logit_bloat.temperature_train"], 0);
}

TEST(LogitBloatHook, CumulativePartsSumToTheWholeChange) {
  const Fixture fixture;
  LogitBloat hook({});
  std::vector<Row> rows(3);
  const std::vector<Tensor> logits{noise(1), noise(1) + cosine(fixture.targets, 2),
                                   2 * cosine(fixture.targets, 2) + noise(0.5)};
  for (size_t i = 0; i < 3; ++i) hook.observe(fixture.of(logits[i], static_cast<int64_t>(i)), rows[i]);
  const double whole = (cross_entropy(logits[2], fixture.targets) - cross_entropy(logits[0], fixture.targets))
                           .index_select(0, fixture.of(logits[0]).test_B)
                           .mean()
                           .item<double>();
  EXPECT_NEAR(
      rows[2]["logit_bloat.radial_total_test"].get<double>() + rows[2]["logit_bloat.shape_total_test"].get<double>(),
      whole, 1e-12);
  EXPECT_NEAR(rows[1]["logit_bloat.radial_train"].get<double>() + rows[1]["logit_bloat.shape_train"].get<double>(),
              rows[1]["logit_bloat.delta_train"].get<double>(), 1e-12);
}

TEST(WeightNormsHook, ReportsEuclideanNorms) {
  Fixture fixture;
  fixture.parameters["w"][0].copy_(at::tensor({3.0, 4.0}));
  Row row;
  WeightNorms({}).observe(fixture.of(noise(1)), row);
  EXPECT_EQ(row["weight_norms.total"], 5);
  EXPECT_EQ(row["weight_norms.w"], 5);
}

TEST(GradientAlignmentHook, IsOneAlongTheWeightsAndZeroAcrossThem) {
  Fixture fixture;
  fixture.parameters["w"][0].copy_(at::tensor({3.0, 4.0}));
  Snapshot snapshot = fixture.of(noise(1));
  const auto cosine_of = [&](double first, double second) {
    snapshot.with_gradient = [&fixture, first, second] {
      Parameters one = fixture.parameters.select(0);
      one.gradient("w")[0].copy_(at::tensor({first, second}));
      return one;
    };
    Row row;
    GradientAlignment({}).observe(snapshot, row);
    EXPECT_EQ(row["gradient_alignment.cosine"].dump(), row["gradient_alignment.cosine.w"].dump());
    return row;
  };
  EXPECT_NEAR(cosine_of(-6, -8)["gradient_alignment.cosine"].get<double>(), 1, 1e-15);
  EXPECT_NEAR(cosine_of(-6, -8)["gradient_alignment.norm"].get<double>(), 10, 1e-14);
  EXPECT_NEAR(cosine_of(-4, 3)["gradient_alignment.cosine"].get<double>(), 0, 1e-15);
  EXPECT_NEAR(cosine_of(1, 0)["gradient_alignment.radial_share"].get<double>(), 0.36, 1e-15);
  EXPECT_TRUE(Row::parse(cosine_of(0, 0).dump())["gradient_alignment.cosine"].is_null());
}

TEST(GradientAlignmentHook, IsTheSlopeOfTheTrainingLossAlongTheWeights) {
  SmallPack small;
  small.dtype = at::kDouble;
  const auto row_at = [&](double scale) {
    Pack pack = small.make();
    pack.parameters.flat().mul_(scale);
    GradientAlignment::Options options;
    pack.hooks.emplace_back("gradient_alignment", std::make_unique<GradientAlignment>(options));
    pack.hooks.emplace_back("weight_norms", std::make_unique<WeightNorms>(WeightNorms::Options()));
    return Trainer({.steps = 1}, std::move(pack), {}).evaluate()[0];
  };
  const double h = 1e-5;
  const double slope =
      (row_at(1 + h)["train_loss"].get<double>() - row_at(1 - h)["train_loss"].get<double>()) / (2 * h);
  const Row row = row_at(1);
  EXPECT_NEAR(-row["gradient_alignment.cosine"].get<double>() * row["gradient_alignment.norm"].get<double>() *
                  row["weight_norms.total"].get<double>(),
              slope, 1e-7 * std::abs(slope));
}

TEST(SoftmaxCollapseHook, CountsTheTrainingExamplesWhoseOtherTermsAreLost) {
  const Fixture fixture;
  const Tensor right = at::one_hot(fixture.targets, kP).to(at::kDouble);
  // Every fifth training example is sure enough for float16 to collapse, every tenth for float32, none for float64.
  Tensor size = at::ones({kP * kP}, at::kDouble);
  const Tensor train = fixture.of(right).train_B;
  const Tensor rank = at::arange(train.size(0));
  size.index_put_({train},
                  (1 + 11 * rank.remainder(5).eq(0).to(at::kDouble) + 20 * rank.remainder(10).eq(0).to(at::kDouble)));
  Row row;
  SoftmaxCollapse({}).observe(fixture.of(right * size.unsqueeze(1)), row);
  const auto share = [&](int64_t every) { return (rank.remainder(every) == 0).to(at::kDouble).mean().item<double>(); };
  for (const std::string figure : {"softmax_collapse.collapsed_", "softmax_collapse.zero_terms_"}) {
    EXPECT_NEAR(row[figure + "float16"].get<double>(), share(5), 1e-12) << figure;
    EXPECT_NEAR(row[figure + "float32"].get<double>(), share(10), 1e-12) << figure;
    EXPECT_EQ(row[figure + "float64"], 0) << figure;
  }
}

TEST(EffectiveRatesHook, SplitsAStepIntoTurningAndGrowing) {
  Fixture fixture;
  EffectiveRates hook({});
  const auto observed = [&](double first, double second) {
    fixture.parameters["w"][0].copy_(at::tensor({first, second}));
    Snapshot snapshot = fixture.of(at::zeros({kP * kP, kP}, at::kDouble));
    snapshot.learning_rate = 0.5;
    Row row;
    hook.observe(snapshot, row);
    return Row::parse(row.dump());
  };
  const Row first = observed(3, 4);
  EXPECT_TRUE(first["effective_rates.angular_step"].is_null());
  EXPECT_NEAR(first["effective_rates.signal"].get<double>(), 1 - 1.0 / kP, 1e-14);
  EXPECT_NEAR(first["effective_rates.signal_rate"].get<double>(), 0.5 * (1 - 1.0 / kP), 1e-14);
  const Row second = observed(3 * 1.2 - 0.4, 4 * 1.2 + 0.3);
  EXPECT_NEAR(second["effective_rates.radial_step"].get<double>(), 0.2, 1e-14);
  EXPECT_NEAR(second["effective_rates.angular_step"].get<double>(), 0.1, 1e-14);
}

TEST(MarginsHook, QuantilesAreThoseOfTheMarginsThatWerePutIn) {
  Fixture fixture;
  fixture.parameters["w"][0].copy_(at::tensor({3.0, 4.0}));
  Tensor size = at::zeros({kP * kP}, at::kDouble);
  const Tensor train = fixture.of(size).train_B, test = fixture.of(size).test_B;
  size.index_put_({train}, at::linspace(-1, 9, train.size(0), at::kDouble));
  Row row;
  Margins({}).observe(fixture.of(at::one_hot(fixture.targets, kP) * size.unsqueeze(1)), row);
  const std::vector<double> expected{-1, -0.9, 4, 9};
  for (size_t i = 0; i < 4; ++i) EXPECT_NEAR(row["margins.quantiles_train"][i].get<double>(), expected[i], 1e-12);
  EXPECT_NEAR(row["margins.mean_train"].get<double>(), 4, 1e-12);
  EXPECT_NEAR(row["margins.mean_per_norm"].get<double>(), 4.0 / 5, 1e-12);
  EXPECT_EQ(row["margins.mean_test"], 0);
}

TEST(SlingshotHook, IsTheRelativeChangeOfTheHiddenLayer) {
  const ModularAddition task({.p = kP, .operation = "add", .train_fraction = 0.5});
  const Mlp model({.d_embed = 8, .hidden = {16, 12}}, task.shape());
  Parameters parameters(model.specs(), 1, at::kDouble);
  parameters.initialise({0}, {1.0});
  const Fixture fixture;
  const Snapshot some = fixture.of(noise(1));
  Slingshot hook({});
  std::vector<Row> rows(3);
  for (size_t i = 0; i < 3; ++i) {
    hook.observe({.step = 0,
                  .run = 0,
                  .model = model,
                  .parameters = parameters,
                  .inputs_NT = some.inputs_NT,
                  .logits_NV = some.logits_NV,
                  .targets_N = some.targets_N,
                  .train_B = some.train_B,
                  .test_B = some.test_B},
                 rows[i]);
    if (i == 0) parameters["blocks.1.mlp.W_in"].mul_(3);  // relu without biases: the last hidden layer is trebled
  }
  EXPECT_TRUE(Row::parse(rows[0].dump())["slingshot.feature_change"].is_null());
  EXPECT_NEAR(rows[1]["slingshot.feature_change"].get<double>(), 2, 1e-13);
  EXPECT_EQ(rows[2]["slingshot.feature_change"], 0);
}

}  // namespace
}  // namespace logodds
