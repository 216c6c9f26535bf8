#include "training/trainer.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "tests/training/small_pack.h"

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
  Pack pack = SmallPack{.seeds = {4, 5}, .weight_decays = {0, 0}, .learning_rates = {.01, .01}}.make();
  pack.parameters["unembed.W_U"][1].fill_(std::numeric_limits<double>::quiet_NaN());
  const Tensor before = pack.parameters.flat().clone();
  Trainer trainer(every(10), std::move(pack), {});
  try {
    trainer.take_step();
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::diverged);
    EXPECT_NE(std::string(error.what()).find("step 0: the training loss of run 1 (seed 5) is not finite"),
              std::string::npos);
  }
  EXPECT_TRUE(trainer.pack().parameters.flat()[0].equal(before[0]));
}

}  // namespace
}  // namespace logodds
