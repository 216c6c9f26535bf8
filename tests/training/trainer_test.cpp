#include "training/trainer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "tests/training/small_pack.h"
#include "training/gradient.h"

namespace logodds {
namespace {

TrainerOptions every(int64_t steps, int64_t batch_size = 0) {
  return {.steps = steps,
          .batch_size = batch_size,
          .evaluate_every_steps = 5,
          .checkpoint_every_steps = 1000,
          .keep_last_checkpoints = 1};
}

/// Trains and returns weights [R,n] and all rows.
struct Trained {
  Tensor flat;
  std::vector<Row> rows;
};
Trained train(const SmallPack& pack, int64_t steps, int64_t batch_size = 0) {
  Trained trained;
  TrainerEvents events;
  events.evaluated = [&](const std::vector<Row>& rows) {
    trained.rows.insert(trained.rows.end(), rows.begin(), rows.end());
  };
  Trainer trainer(every(steps, batch_size), pack.make(), events);
  trainer.run();
  trained.flat = trainer.pack().parameters.flat().clone();
  return trained;
}

TEST(Trainer, ARunInAPackOfFourEqualsTheRunAlone) {
  for (const bool transformer : {true, false}) {
    SmallPack pack{.seeds = {0, 0, 3, 3}, .weight_decays = {1, 0, 1, 0}, .learning_rates = {.01, .01, .01, .02}};
    pack.transformer = transformer;
    const Tensor together = train(pack, 50).flat;
    for (size_t run = 0; run < 4; ++run) {
      SmallPack one{.seeds = {pack.seeds[run]},
                    .weight_decays = {pack.weight_decays[run]},
                    .learning_rates = {pack.learning_rates[run]}};
      one.transformer = transformer;
      const Tensor alone = train(one, 50).flat;
      const double difference = (together[static_cast<int64_t>(run)] - alone[0]).abs().max().item<double>();
      // Batched matrix products may sum in another order than single ones: a stated bound of rounding, not of training,
      // whose 50 steps of 0.01 move weights by tenths.
      EXPECT_LT(difference, 2e-4) << (transformer ? "transformer" : "mlp") << " run " << run;
    }
    EXPECT_GT((together[0] - together[1]).abs().max().item<double>(), 1e-2) << "the runs must differ from each other";
  }
}

TEST(Trainer, InFloat64ARunInAPackEqualsTheRunAloneToRounding) {
  SmallPack pack{.seeds = {1, 2}, .weight_decays = {1, 0}, .learning_rates = {.01, .01}};
  pack.dtype = at::kDouble;
  SmallPack one{.seeds = {2}, .weight_decays = {0}, .learning_rates = {.01}};
  one.dtype = at::kDouble;
  EXPECT_LT((train(pack, 50).flat[1] - train(one, 50).flat[0]).abs().max().item<double>(), 1e-12);
}

TEST(Trainer, TheSameSeedGivesTheSameBits) { EXPECT_TRUE(train({}, 30).flat.equal(train({}, 30).flat)); }

TEST(Trainer, HooksDoNotChangeTraining) {
  SmallPack watched;
  watched.hooks = true;
  EXPECT_TRUE(train(watched, 30).flat.equal(train({}, 30).flat));
}

TEST(Trainer, EveryPartOfAStepIsToldWhenItEnds) {
  using Parts = std::vector<std::string>;
  Parts parts;
  SmallPack pack;
  pack.hooks = true;
  TrainerEvents events;
  events.spent = [&](std::string_view part) { parts.emplace_back(part); };
  Trainer(every(1), pack.make(), events).run();
  const Parts evaluation{
      "evaluation",           "hook logit_decomposition", "hook logit_bloat",        "hook weight_norms",
      "hook effective_rates", "hook slingshot",           "hook gradient_alignment", "writing metrics"};
  Parts expected = evaluation;
  for (const char* part : {"fold", "tile step", "backward of the fold", "the rest", "optimizer", "the rest"}) {
    expected.emplace_back(part);
  }
  expected.insert(expected.end(), evaluation.begin(), evaluation.end());
  expected.emplace_back("checkpoint");
  EXPECT_EQ(parts, expected);
}

TEST(Trainer, ABatchLargerThanTheTrainingSetIsRefused) {
  EXPECT_THROW(Trainer(every(1, 61), SmallPack().make(), {}), Error);  // p = 11, half of the 121 pairs: 60
  EXPECT_NO_THROW(Trainer(every(1, 60), SmallPack().make(), {}));
}

TEST(Trainer, InMiniBatchesARunInAPackStillEqualsTheRunAlone) {
  const Tensor pack =
      train({.seeds = {5, 6}, .weight_decays = {1, 1}, .learning_rates = {.01, .01}, .dtype = at::kDouble}, 20, 7).flat;
  const Tensor alone = train({.seeds = {6}, .dtype = at::kDouble}, 20, 7).flat;
  EXPECT_LT((pack[1] - alone[0]).abs().max().item<double>(), 1e-12);
}

TEST(Trainer, TrainingLearnsTheTrainingSet) {
  const auto rows = train({}, 200).rows;
  EXPECT_GT(rows.front()["train_loss"].get<double>(), 2.0);
  EXPECT_LT(rows.back()["train_loss"].get<double>(), 0.1);
  EXPECT_EQ(rows.back()["step"], 200);
}

TEST(Trainer, AResumedRunEqualsTheUninterruptedOneBitForBit) {
  for (const bool momentum : {false, true}) {
    const int64_t batch_size = momentum ? 7 : 0;  // epochs of 8 steps
    for (const int64_t stop : {1, 5, 7, 12}) {    // before, at and between evaluations
      SmallPack pack{.seeds = {0, 1}, .weight_decays = {1, 0}, .learning_rates = {.01, .01}};
      pack.hooks = true;
      pack.momentum = momentum;
      const Trained whole = train(pack, 20, batch_size);

      std::vector<Row> rows;
      Checkpoint saved;
      TrainerEvents events;
      events.evaluated = [&](const std::vector<Row>& more) { rows.insert(rows.end(), more.begin(), more.end()); };
      events.checkpoint = [&](Checkpoint checkpoint) { saved = std::move(checkpoint); };
      int64_t step = 0;
      events.stepped = [&](int64_t now) { step = now; };
      events.interrupted = [&] { return step == stop; };
      Trainer first(every(20, batch_size), pack.make(), events);
      EXPECT_FALSE(first.run());
      EXPECT_EQ(saved.step, stop);

      // Only what the checkpoint holds crosses over.
      Checkpoint carried = saved;
      for (auto& run : carried.runs) {
        for (auto& [name, tensor] : run) tensor = tensor.clone();
      }
      for (auto& [name, tensor] : carried.state) tensor = tensor.clone();
      events.interrupted = {};
      Trainer second(every(20, batch_size), pack.make(), events);
      second.restore(carried);
      EXPECT_TRUE(second.run());
      EXPECT_TRUE(second.pack().parameters.flat().equal(whole.flat)) << "stopped at " << stop;
      EXPECT_EQ(Row(rows).dump(), Row(whole.rows).dump()) << "stopped at " << stop;
    }
  }
}

TEST(Trainer, ALossThatIsNotFiniteStopsBeforeTheUpdate) {
  Pack pack = SmallPack{.seeds = {5}}.make();
  pack.parameters["unembed.W_U"][0][3].fill_(std::numeric_limits<double>::quiet_NaN());
  const Tensor before = pack.parameters.flat().clone();
  Trainer trainer(every(10), std::move(pack), {});
  try {
    trainer.take_step();
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::diverged);
    EXPECT_EQ(std::string(error.what())
                  .find("step 0: the training loss of run 0 (seed 5) is not finite, nor is the "
                        "unembed.W_U in 11 of 176 numbers; the update was not made"),
              0u)
        << error.what();
  }
  EXPECT_TRUE(trainer.pack().parameters.flat().nan_to_num().equal(before.nan_to_num()));
}

/// Cross-entropy whose gradient of run 1 is infinite at one logit from step 7 on.
class InfiniteGradient : public Loss {
 public:
  Value with_gradient(const Tensor& logits_RBV, const Tensor& targets_RB) const override {
    Value value = loss_.with_gradient(logits_RBV, targets_RB);
    if (calls_++ >= 7) value.gradient_RBV[1][2][3] = std::numeric_limits<double>::infinity();
    return value;
  }
  double value(const Tensor& logits, const Tensor& targets) const override { return loss_.value(logits, targets); }

 private:
  CrossEntropyLoss loss_{CrossEntropyLoss::Options()};
  mutable int calls_ = 0;
};

TEST(Trainer, AGradientThatIsNotFiniteStopsItsRunBeforeTheUpdateAndNamesTheTensor) {
  Pack pack = SmallPack{.seeds = {4, 5}, .weight_decays = {0, 0}, .learning_rates = {.01, .01}}.make();
  pack.loss = std::make_unique<InfiniteGradient>();
  std::vector<Divergence> found;
  TrainerEvents events;
  events.diverged = [&](const Divergence& divergence) { found.push_back(divergence); };
  Trainer trainer(every(10), std::move(pack), std::move(events));
  for (int step = 0; step < 7; ++step) trainer.take_step();
  const Tensor before = trainer.pack().parameters.flat().clone();
  for (int step = 0; step < 3; ++step) trainer.take_step();
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].step, 7);
  EXPECT_EQ(found[0].run, 1);
  EXPECT_TRUE(found[0].tensor.starts_with("gradient of ")) << found[0].tensor;
  EXPECT_EQ(found[0].message.find("step 7: the " + found[0].tensor + " of run 1 (seed 5) is not finite in "), 0u)
      << found[0].message;
  EXPECT_TRUE(trainer.pack().parameters.flat()[1].equal(before[1]));
  EXPECT_FALSE(trainer.pack().parameters.flat()[0].equal(before[0]));
}

TEST(Trainer, InAPackTheRunsBesideOneThatDivergesKeepTheirBits) {
  for (const bool transformer : {true, false}) {
    for (const bool momentum : {true, false}) {
      SmallPack pack{.seeds = {4, 5, 6}, .weight_decays = {1, 0, 0}, .learning_rates = {.01, 1e30, .02}};
      pack.transformer = transformer;
      pack.momentum = momentum;
      pack.hooks = true;
      const Trained with = train(pack, 20);
      pack.learning_rates[1] = .01;
      const Trained without = train(pack, 20);
      for (const int64_t run : {0, 2}) EXPECT_TRUE(with.flat[run].equal(without.flat[run])) << "run " << run;
      const auto of_others = [](std::vector<Row> rows) {
        std::erase_if(rows, [](const Row& row) { return row["run"] == 1; });
        return Row(rows).dump();
      };
      EXPECT_EQ(of_others(with.rows), of_others(without.rows));
      EXPECT_LT(with.rows.size(), without.rows.size()) << "run 1 did not diverge";
    }
  }
}

TEST(Trainer, WhatARunDivergedOnGivesTheSameGradientAgain) {
  SmallPack small{.seeds = {4, 5}, .weight_decays = {0, 0}, .learning_rates = {.01, 1e30}};
  std::vector<Divergence> found;
  TrainerEvents events;
  events.diverged = [&](const Divergence& divergence) { found.push_back(divergence); };
  Trainer(every(4, 7), small.make(), std::move(events)).run();
  ASSERT_EQ(found.size(), 1u);
  const Pack pack = small.make();
  Parameters one = pack.parameters.select(1);
  one.load(0, found[0].weights, "divergence");
  const Tensor loss = loss_gradient(*pack.model, *pack.loss, one, found[0].batch.at("inputs").unsqueeze(0),
                                    found[0].batch.at("targets").unsqueeze(0));
  EXPECT_FALSE(std::isfinite(loss.item<double>()));
  for (const auto& spec : one.specs()) {
    const Tensor again = one.gradient(spec.name)[0], saved = found[0].batch.at("gradient." + spec.name);
    EXPECT_TRUE(again.isfinite().equal(saved.isfinite())) << spec.name;
  }
}

TEST(Trainer, APackInWhichARunDivergedResumesAsIfUninterrupted) {
  SmallPack pack{.seeds = {4, 5}, .weight_decays = {1, 0}, .learning_rates = {.01, 1e30}};
  pack.hooks = true;
  const Trained whole = train(pack, 20);
  std::vector<Row> rows;
  Checkpoint saved;
  int64_t step = 0;
  TrainerEvents events;
  events.evaluated = [&](const std::vector<Row>& more) { rows.insert(rows.end(), more.begin(), more.end()); };
  events.checkpoint = [&](Checkpoint checkpoint) { saved = std::move(checkpoint); };
  events.stepped = [&](int64_t now) { step = now; };
  events.interrupted = [&] { return step == 12; };
  Trainer(every(20), pack.make(), events).run();
  events.interrupted = {};
  Trainer second(every(20), pack.make(), events);
  second.restore(saved);
  EXPECT_EQ(second.diverged(), 1u);
  EXPECT_TRUE(second.run());
  EXPECT_TRUE(second.pack().parameters.flat()[0].equal(whole.flat[0]));
  EXPECT_TRUE(second.pack().parameters.flat()[1].nan_to_num().equal(whole.flat[1].nan_to_num()));
  EXPECT_EQ(Row(rows).dump(), Row(whole.rows).dump());
}

}  // namespace
}  // namespace logodds
