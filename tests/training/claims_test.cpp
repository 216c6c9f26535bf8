// Networks trained on worlds of known log-odds: they reach what theory states where they can, and fail in the way it
// says where they cannot.

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "core/calibration.h"
#include "core/log_odds.h"
#include "models/forecaster_ensemble.h"
#include "models/mlp.h"
#include "training/claim.h"
#include "training/claims/capacity.h"
#include "training/claims/losses.h"
#include "training/claims/parts.h"
#include "training/claims/unanimous.h"
#include "training/learnt.h"
#include "training/losses/binary_logistic.h"
#include "training/optimizers/adamw.h"
#include "training/schedules/constant.h"
#include "training/tasks/forecasters.h"
#include "training/tasks/halfspace.h"
#include "training/tasks/majority.h"
#include "training/tasks/router.h"
#include "training/trainer.h"

namespace logodds {
namespace {

using MakeModel = std::function<std::unique_ptr<Model>(const InputShape&)>;

MakeModel ensemble(std::vector<int64_t> hidden, bool bias = true) {
  ForecasterEnsemble::Options options;
  options.hidden = std::move(hidden);
  options.bias = bias;
  return [=](const InputShape& shape) { return std::make_unique<ForecasterEnsemble>(options, shape); };
}

MakeModel joint(int64_t hidden) {
  Mlp::Options options;
  options.hidden = {hidden};
  return [=](const InputShape& shape) { return std::make_unique<Mlp>(options, shape); };
}

/// A pack trained in float64 by full-batch Adam, as claims see it.
class Training {
 public:
  Training(const Task& task, const MakeModel& make_model, const std::vector<int64_t>& seeds, int64_t steps,
           double learning_rate = 0.02) {
    InputShape shape = task.shape();
    shape.single_logit = shape.classes == 2;
    auto model = make_model(shape);
    Parameters parameters(model->specs(), static_cast<int64_t>(seeds.size()), at::kDouble);
    parameters.initialise(seeds, std::vector<double>(seeds.size(), 1.0));
    AdamW::Options adam;
    adam.learning_rate = learning_rate;
    adam.weight_decay = 0.0;
    auto optimizer = std::make_unique<AdamW>(adam, parameters);
    Pack pack{.seeds = seeds,
              .data = task.make(seeds),
              .model = std::move(model),
              .parameters = std::move(parameters),
              .loss = std::make_unique<BinaryLogisticLoss>(BinaryLogisticLoss::Options()),
              .optimizer = std::move(optimizer),
              .schedule = std::make_unique<ConstantSchedule>(ConstantSchedule::Options()),
              .hooks = {}};
    trainer_ = std::make_unique<Trainer>(TrainerOptions{.steps = steps}, std::move(pack), TrainerEvents());
    for (int64_t step = 0; step < steps; ++step) trainer_->take_step();
    for (size_t run = 0; run < seeds.size(); ++run) runs_.push_back(trained(task, run, seeds[run]));
  }
  std::vector<Trained>& runs() { return runs_; }
  const std::vector<Trained>& runs() const { return runs_; }

 private:
  Trained trained(const Task& task, size_t run, int64_t seed) const {
    const Pack& pack = trainer_->pack();
    const auto r = static_cast<int64_t>(run);
    Parameters one = pack.parameters.select(r);
    const auto examples = [&](const Tensor& set_RB) {
      return Examples{pack.data.inputs[r].index_select(0, set_RB[r]),
                      pack.data.targets_RN[r].index_select(0, set_RB[r])};
    };
    const Examples train = examples(pack.data.train_RB), test = examples(pack.data.test_RB);
    const auto logits = [&](const Examples& of) {
      return pack.model->logits(one, of.inputs_NF.unsqueeze(0)).squeeze(0);
    };
    const Tensor train_logits = logits(train), test_logits = logits(test);
    return {"run " + std::to_string(run),
            task.world(run, seed),
            *pack.model,
            std::move(one),
            train,
            test,
            train_logits,
            test_logits};
  }

  std::unique_ptr<Trainer> trainer_;
  std::vector<Trained> runs_;
};

SampleOptions sizes(int64_t train = 8192, int64_t test = 4096) {
  SampleOptions sizes;
  sizes.train_size = train;
  sizes.test_size = test;
  return sizes;
}

Forecasters::Options forecasters(const std::string& channel, int64_t features, int64_t classes = 2) {
  Forecasters::Options options;
  options.channel = channel;
  options.features = features;
  options.classes = classes;
  options.sizes = sizes();
  return options;
}

/// Excess risk as a share of the Bayes loss.
double excess(const Trained& run) {
  return divergence(run.world->posterior(run.test.inputs_NF), run.test_logits).mean().item<double>() /
         run.world->loss(1).value;
}

TEST(Trained, EveryChannelIsLearntToItsBayesLossAndPartByPart) {
  auto gaussian = forecasters("gaussian", 3), coin = forecasters("coin", 3), erasure = forecasters("erasure", 3),
       gas = forecasters("von_mises", 3, 7), many = forecasters("coin", 3, 3);
  gaussian.prior = 0.3;
  gaussian.strength = 0.7;
  coin.accuracy = many.accuracy = 0.8;
  erasure.accuracy = 0.9;
  gas.strength = 1.5;
  gas.sizes.train_size = 16384;
  for (const auto& of : {gaussian, coin, erasure, gas, many}) {
    const bool linear = of.channel == "gaussian" || of.channel == "von_mises";
    const Training training(Forecasters(of), ensemble(linear ? std::vector<int64_t>{} : std::vector<int64_t>{8}), {1},
                            linear ? 300 : 200, 0.05);
    EXPECT_LT(excess(training.runs()[0]), 0.02) << of.channel;
    const auto figures = PartsClaim({}).figures(training.runs());
    EXPECT_GT(figures[0].measured, 0.99) << of.channel << ": " << figures[0].what;
    EXPECT_NEAR(figures[1].measured, 1, 0.05) << of.channel << ": " << figures[1].what;
    EXPECT_GT(figures[2].measured, 0.99) << of.channel << ": " << figures[2].what;
    const auto loss = LossClaim({}).figures(training.runs())[0];
    const Tensor losses = cross_entropy(training.runs()[0].test_logits, training.runs()[0].test.targets_N);
    EXPECT_NEAR(loss.measured, loss.theory, 0.02 * loss.theory + 4 * losses.std().item<double>() / 64) << of.channel;
  }
}

TEST(Trained, AJointNetworkLearnsWhatInteracts) {
  Majority::Options majority;
  majority.shown = 3;
  majority.sizes = sizes();
  Halfspace::Options plane;
  plane.shown = 4;
  plane.sizes = sizes();
  const std::unique_ptr<Task> tasks[] = {std::make_unique<Majority>(majority), std::make_unique<Halfspace>(plane)};
  for (const auto& task : tasks) EXPECT_LT(excess(Training(*task, joint(8), {1}, 200).runs()[0]), 0.02);
}

TEST(Trained, PartsOfInteractingFeaturesAreNotTheSingleLogOddsButTheBestSum) {
  // Majority of 7 bits, 3 shown. Of all sums the best is u = b(2s-3), by symmetry; b by enumeration: minimise
  // Σ_s C(3,s)/8 · H(P_s, σ(b(2s-3))) with P_s counted over the 16 ways of the other four bits.
  const double P[] = {1 / 16.0, 5 / 16.0, 11 / 16.0, 15 / 16.0}, ways[] = {1, 3, 3, 1};
  const auto loss = [&](double b) {
    double total = 0;
    for (int s = 0; s <= 3; ++s) {
      const double u = b * (2 * s - 3);
      total += ways[s] / 8 * (P[s] * std::log1p(std::exp(-u)) + (1 - P[s]) * std::log1p(std::exp(u)));
    }
    return total;
  };
  double best = 0.5;
  for (double b = 0.5; b < 1.5; b += 1e-4) best = loss(b) < loss(best) ? b : best;
  const double single = std::log(42.0 / 22.0);  // one bit: 42 of the 64 ways of the other six
  Majority::Options of;
  of.shown = 3;
  of.sizes = sizes(32768);
  const Training training(Majority(of), ensemble({}), {1}, 200, 0.05);
  const auto figures = PartsClaim({}).figures(training.runs());
  EXPECT_NEAR(figures[1].measured, best / single, 0.04) << figures[1].what;
  EXPECT_GT(best / single, 1.2);
  EXPECT_LT(figures[0].measured, 0.97) << figures[0].what;  // R² = 1 - (slope - 1)²
}

TEST(Trained, WhatItIsNotToldMakesItOverconfidentByTheFactorOfTheory) {
  auto of = forecasters("gaussian", 4);
  of.strength = 0.5;
  of.correlation.runs = {0.5, 0.5, 0.0, 0.0};
  of.told.runs = {0, 1, 0, 1};
  const Training correlated(Forecasters(of), ensemble({}), {1, 1, 1, 1}, 200, 0.05);
  const double expected[] = {2.5, 1, 1, 1};
  const auto temperatures = TemperatureClaim({}).figures(correlated.runs());
  for (size_t run = 0; run < 4; ++run) {
    EXPECT_NEAR(temperatures[run].theory, expected[run], 1e-12);
    EXPECT_NEAR(temperatures[run].measured / expected[run], 1, 0.15) << temperatures[run].what;
  }
  // Its logits are the posterior's times T: no more evidence, only louder.
  EXPECT_NEAR(learnt(*correlated.runs()[0].world, correlated.runs()[0].test.inputs_NF, correlated.runs()[0].test_logits,
                     nullptr)
                  .sum.slope,
              2.5, 0.15);
  EXPECT_GT(excess(correlated.runs()[0]), 0.1);
  EXPECT_LT(excess(correlated.runs()[1]), 0.02);

  auto duplicate = forecasters("gaussian", 2);
  duplicate.copies = 1;
  duplicate.told = 0;
  duplicate.shown.runs = {1, 2};
  duplicate.sizes = sizes(32768, 32768);
  const Training pair(Forecasters(duplicate), ensemble({}), {1, 1}, 300, 0.2);
  const auto alone_and_both = TemperatureClaim({}).figures(pair.runs());
  EXPECT_NEAR(alone_and_both[0].measured, 1, 0.06);
  EXPECT_NEAR(alone_and_both[1].measured, 2, 0.12);
  const auto gain = GainClaim({}).figures(pair.runs())[0];
  EXPECT_LT(gain.theory, -0.03);  // it loses by what it takes for a second opinion
  EXPECT_NEAR(gain.measured, gain.theory, 0.02);
  duplicate.told = 1;
  const Training told(Forecasters(duplicate), ensemble({}), {1, 1}, 300, 0.2);
  EXPECT_NEAR(GainClaim({}).figures(told.runs())[0].measured, 0, 1e-3);
}

TEST(Trained, ACrowdAtTwoToOneMultipliesItsOdds) {
  auto of = forecasters("coin", 4);
  of.accuracy = 2.0 / 3;
  of.shown.runs = {1, 2, 3, 4};
  of.sizes = sizes(32768);
  const Training training(Forecasters(of), ensemble({}), {1, 1, 1, 1}, 200, 0.05);
  const auto odds = UnanimousOddsClaim({}).figures(training.runs());
  for (size_t n = 1; n <= 4; ++n) {
    EXPECT_NEAR(odds[n - 1].theory, std::pow(2, n), 1e-9);
    EXPECT_NEAR(odds[n - 1].measured / std::pow(2, n), 1, 0.12) << odds[n - 1].what;
  }
  const auto losses = UnanimousLossClaim({}).figures(training.runs());
  EXPECT_NEAR(losses[2].theory, std::log1p(1.0 / 8), 1e-12);
  EXPECT_NEAR(losses[2].measured / losses[2].theory, 1, 0.12);
  EXPECT_NEAR(losses[5].theory, -std::log(2), 1e-12);
}

TEST(Trained, RouterAndErasureAreThePicturesOfAblation) {
  Router::Options router;
  router.features = 5;
  router.sizes = sizes();
  const Training shared(Router(router), ensemble({}), {1}, 300, 0.05);
  auto erasure = forecasters("erasure", 5);
  erasure.accuracy = 1 - 1e-6;
  const Training multiplied(Forecasters(erasure), ensemble({}), {1}, 600, 0.1);
  const auto one = AblationClaim({}).figures(shared.runs()), two = AblationClaim({}).figures(multiplied.runs());
  for (const auto& [of, own, other] : {std::tuple(one, 0, 1), std::tuple(two, 1, 0)}) {
    EXPECT_GT(of[own].theory, 0.99) << of[own].what;
    EXPECT_GT(of[own].measured, 0.99) << of[own].what;
    EXPECT_LT(of[other].theory, 0.99) << of[other].what;
    EXPECT_LT(of[other].measured, 0.99) << of[other].what;
  }
}

TEST(Trained, APerceptronMemorisesTwoRandomLabelsPerWeight) {
  Forecasters::Options of;
  of.features = 6;
  of.strength = 0.0;
  of.sizes.test_size = 1;
  std::vector<int64_t> seeds;
  for (const int64_t shown : {3, 6}) {
    for (int64_t seed = 0; seed < 16; ++seed) {
      for (int64_t size = 1; size <= 44; size += size < 20 ? 1 : size < 28 ? 2 : 8) {  // the last is hopeless
        seeds.push_back(seed);
        of.shown.runs.push_back(shown);
        of.sizes.train_size.runs.push_back(size);
      }
    }
  }
  Training training(Forecasters(of), ensemble({}, false), seeds, 500, 0.1);
  std::vector<std::vector<Trained>> by_seed(16);
  for (size_t run = 0; run < seeds.size(); ++run)
    by_seed[static_cast<size_t>(seeds[run])].push_back(std::move(training.runs()[run]));
  const auto rows = table_rows(CapacityClaim({}), by_seed);
  ASSERT_EQ(rows.size(), 3u);
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(rows[i].theory, i == 0 ? 6 : 12);
    EXPECT_GT(rows[i].high, rows[i].theory * 0.97) << rows[i].what << " " << rows[i].measured;
    EXPECT_LT(rows[i].low, rows[i].theory * 1.03) << rows[i].what << " " << rows[i].measured;
  }
  EXPECT_EQ(rows[2].theory, 2);
}

/// States 1 and 5 in turn, and measures 1 more and 1.2 more.
class Shifting : public Claim {
 public:
  std::vector<Figure> figures(const std::vector<Trained>&) const override {
    const double theory = calls_++ % 2 == 0 ? 1 : 5;
    return {{"figure", theory, theory + (theory == 1 ? 1 : 1.2)}};
  }

 private:
  mutable int calls_ = 0;
};

TEST(TableRows, WhatTheoryStatesDifferentlyForEachSeedIsNoSpread) {
  const auto rows = table_rows(Shifting(), std::vector<std::vector<Trained>>(2));
  EXPECT_NEAR(rows[0].theory, 3, 1e-12);
  EXPECT_NEAR(rows[0].measured, 4.1, 1e-12);
  // Differences 1 and 1.2: standard error 0.1, times the 12.706 of one degree of freedom.
  EXPECT_NEAR(rows[0].high - rows[0].measured, 1.2706, 1e-4);
  EXPECT_NEAR(rows[0].measured - rows[0].low, 1.2706, 1e-4);
}

}  // namespace
}  // namespace logodds
