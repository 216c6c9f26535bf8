#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <numbers>

#include "core/log_odds.h"
#include "core/seeds.h"
#include "tests/training/small_pack.h"
#include "training/hooks/logit_bloat.h"
#include "training/hooks/logit_decomposition.h"
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
  for (const auto& basis : decompositions().entries()) {
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

}  // namespace
}  // namespace logodds
