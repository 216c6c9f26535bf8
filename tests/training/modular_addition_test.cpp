#include "training/tasks/modular_addition.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "core/error.h"

namespace logodds {
namespace {

ModularAddition task(int64_t p, const std::string& operation, double fraction = 0.3) {
  return ModularAddition({.p = p, .operation = operation, .train_fraction = fraction});
}

TEST(ModularAddition, LabelsFollowTheOperation) {
  const int64_t p = 11;
  const std::map<std::string, std::function<int64_t(int64_t, int64_t)>> operations{
      {"add", [](int64_t a, int64_t b) { return a + b; }},
      {"subtract", [](int64_t a, int64_t b) { return a - b + 11; }},
      {"multiply", [](int64_t a, int64_t b) { return a * b; }},
      {"x2_xy_y2", [](int64_t a, int64_t b) { return a * a + a * b + b * b; }}};
  for (const auto& [name, operation] : operations) {
    const Dataset data = task(p, name).make({0});
    for (int64_t n = 0; n < p * p; ++n) {
      const auto a = data.inputs[0][n][0].item<int64_t>(), b = data.inputs[0][n][1].item<int64_t>();
      EXPECT_EQ(data.targets_RN[0][n].item<int64_t>(), operation(a, b) % p) << name << " " << a << " " << b;
      EXPECT_EQ(task(p, name).find({a, b}), n);
    }
  }
}

TEST(ModularAddition, DivisionInvertsMultiplicationAndLeavesOutZero) {
  const ModularAddition division = task(13, "divide");
  const Dataset data = division.make({0});
  EXPECT_EQ(data.targets_RN.size(1), 13 * 12);
  const Tensor a = data.inputs[0].select(1, 0), b = data.inputs[0].select(1, 1);
  EXPECT_TRUE((data.targets_RN[0] * b).remainder(13).equal(a));
  EXPECT_EQ(division.find({4, 5}), 4 * 12 + 4);
  EXPECT_THROW(division.find({4, 0}), Error);
  EXPECT_THROW(task(12, "divide"), Error);
}

TEST(ModularAddition, RandomTablesComeFromTheSeed) {
  const Dataset data = task(23, "random").make({0, 1, 0});
  EXPECT_TRUE(data.targets_RN[0].equal(data.targets_RN[2]));
  EXPECT_FALSE(data.targets_RN[0].equal(data.targets_RN[1]));
}

TEST(ModularAddition, TheSplitIsAFunctionOfTheSeedAndCoversEveryPairOnce) {
  const Dataset pack = task(113, "add").make({4, 7}), alone = task(113, "add").make({7});
  EXPECT_EQ(pack.train_RB.size(1), 3830);
  EXPECT_TRUE(pack.train_RB[1].equal(alone.train_RB[0]));
  EXPECT_FALSE(pack.train_RB[0].equal(pack.train_RB[1]));
  const Tensor all = std::get<0>(at::cat({pack.train_RB[0], pack.test_RB[0]}).sort());
  EXPECT_TRUE(all.equal(at::arange(113 * 113)));
}

TEST(ModularAddition, FullTrainingSetLeavesAnEmptyTestSetAndAnEmptyTrainingSetIsRefused) {
  EXPECT_EQ(task(5, "add", 1).make({0}).test_RB.size(1), 0);
  EXPECT_THROW(task(5, "add", 0.01), Error);
}

}  // namespace
}  // namespace logodds
