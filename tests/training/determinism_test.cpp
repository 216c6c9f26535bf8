// What a seed fixes: all bits with the same number of threads, and how much another number changes.

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/training/small_pack.h"

namespace logodds {
namespace {

struct Trained {
  Tensor weights, logits;
  std::vector<Row> rows;
};

/// Fifty steps of a pack of two with every hook of small packs.
Trained train(bool transformer, bool momentum, int threads) {
  const int before = at::get_num_threads();
  at::set_num_threads(threads);
  SmallPack pack{.seeds = {0, 1}, .weight_decays = {1, 0}, .learning_rates = {.01, .01}, .p = 47};
  pack.transformer = transformer;
  pack.momentum = momentum;
  pack.hooks = true;
  Trained trained;
  TrainerEvents events;
  events.evaluated = [&](const std::vector<Row>& rows) {
    trained.rows.insert(trained.rows.end(), rows.begin(), rows.end());
  };
  Trainer trainer({.steps = 50,
                   .batch_size = 0,
                   .evaluate_every_steps = 10,
                   .checkpoint_every_steps = 1000,
                   .keep_last_checkpoints = 1},
                  pack.make(), events);
  trainer.run();
  const at::NoGradGuard no_grad;
  trained.weights = trainer.pack().parameters.flat().clone();
  trained.logits = trainer.pack().model->logits(trainer.pack().parameters, trainer.pack().data.inputs);
  at::set_num_threads(before);
  return trained;
}

double largest(const Tensor& difference) { return difference.abs().max().item<double>(); }

TEST(Determinism, TheSameSeedAndThreadsGiveTheSameBits) {
  for (const int threads : {1, 2, 3}) {
    for (const bool transformer : {true, false}) {
      const Trained one = train(transformer, false, threads), again = train(transformer, false, threads);
      EXPECT_TRUE(one.weights.equal(again.weights)) << threads << " threads, transformer " << transformer;
      EXPECT_TRUE(one.logits.equal(again.logits)) << threads << " threads, transformer " << transformer;
      EXPECT_EQ(one.rows, again.rows) << threads << " threads, transformer " << transformer;
    }
  }
}

// The bounds are about three times what was seen; the README states them.
TEST(Determinism, AnotherNumberOfThreadsChangesNoMoreThanRoundingDoes) {
  double logits = 0, losses = 0;
  for (const bool transformer : {true, false}) {
    for (const bool momentum : {true, false}) {
      const Trained one = train(transformer, momentum, 1), two = train(transformer, momentum, 2);
      const double seen = largest(one.logits - two.logits) / largest(one.logits);
      double loss = 0;
      for (size_t i = 0; i < one.rows.size(); ++i) {
        const auto of = [&](const Trained& trained) { return trained.rows[i].at("test_loss").get<double>(); };
        loss = std::max(loss, std::abs(of(one) - of(two)) / of(one));
      }
      std::printf("transformer %d, momentum %d: logits %.2e, test loss %.2e\n", transformer, momentum, seen, loss);
      logits = std::max(logits, seen);
      losses = std::max(losses, loss);
    }
  }
  EXPECT_LT(logits, 1e-3);
  EXPECT_LT(losses, 1e-3);
}

}  // namespace
}  // namespace logodds
