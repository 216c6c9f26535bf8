// What a seed fixes: all bits with the same number of threads, and how much another number changes.

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/training/small_pack.h"

namespace logodds {
namespace {

struct Trained {
  Tensor weights, logits;
  std::vector<Row> rows;
};

/// Forty steps of one run, whose samples the threads share.
Trained train(bool transformer, bool momentum, int threads, bool hooks) {
  const int before = at::get_num_threads();
  at::set_num_threads(threads);
  SmallPack pack{.p = 31};
  pack.transformer = transformer;
  pack.momentum = momentum;
  pack.hooks = hooks;
  Trained trained;
  TrainerEvents events;
  events.evaluated = [&](const std::vector<Row>& rows) {
    trained.rows.insert(trained.rows.end(), rows.begin(), rows.end());
  };
  Trainer trainer({.steps = 40,
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
  for (const bool transformer : {true, false}) {
    const Trained one = train(transformer, false, 2, true), again = train(transformer, false, 2, true);
    EXPECT_TRUE(one.weights.equal(again.weights)) << "transformer " << transformer;
    EXPECT_TRUE(one.logits.equal(again.logits)) << "transformer " << transformer;
    EXPECT_EQ(Row(one.rows).dump(), Row(again.rows).dump()) << "transformer " << transformer;
  }
}

// The bounds are five times what was seen on two cores; the README states both.
TEST(Determinism, AnotherNumberOfThreadsChangesNoMoreThanRoundingDoes) {
  double logits = 0, losses = 0;
  for (const bool transformer : {true, false}) {
    for (const bool momentum : {true, false}) {
      const Trained one = train(transformer, momentum, 1, false), two = train(transformer, momentum, 2, false);
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
  EXPECT_LT(logits, 2e-6);
  EXPECT_LT(losses, 4e-8);
}

}  // namespace
}  // namespace logodds
