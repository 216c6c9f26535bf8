#include "training/batches.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace logodds {
namespace {

TEST(Batches, AnEpochTakesEveryExampleAtMostOnceAndRunsDiffer) {
  Batches batches({3, 4}, 10, 3);
  std::vector<Tensor> epoch;
  for (int64_t step = 6; step < 9; ++step) epoch.push_back(batches.at(step));
  const Tensor taken_RB = at::cat(epoch, 1);
  ASSERT_EQ(taken_RB.sizes(), (std::vector<int64_t>{2, 9}));
  for (int64_t run = 0; run < 2; ++run) {
    EXPECT_EQ(std::get<0>(at::_unique(taken_RB[run])).size(0), 9);
    EXPECT_GE(taken_RB[run].min().item<int64_t>(), 0);
    EXPECT_LT(taken_RB[run].max().item<int64_t>(), 10);
  }
  EXPECT_FALSE(taken_RB[0].equal(taken_RB[1]));
}

TEST(Batches, AStepIsTheSameWhereverTrainingBegins) {
  Batches all({7}, 10, 4), resumed({7}, 10, 4);
  Tensor fifth;
  for (int64_t step = 0; step <= 5; ++step) fifth = all.at(step).clone();
  EXPECT_TRUE(resumed.at(5).equal(fifth));
  EXPECT_FALSE(all.at(0).equal(fifth));
}

}  // namespace
}  // namespace logodds
