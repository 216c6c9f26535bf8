#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "core/seeds.h"
#include "tests/golden/reference.h"
#include "training/losses/binary_logistic.h"
#include "training/losses/cross_entropy.h"
#include "training/losses/mse.h"
#include "training/losses/stablemax.h"

namespace logodds {
namespace {

Tensor random(at::IntArrayRef shape) {
  auto generator = stream(1, "logits");
  return at::randn(shape, generator, at::kDouble);
}

TEST(BinaryLogistic, IsSoftplusOfTheSignedLogOdds) {
  const BinaryLogisticLoss loss{BinaryLogisticLoss::Options()};
  const Tensor u = at::tensor({-40.0, -1.0, 0.0, 3.0, 800.0}, at::kDouble);
  const Tensor y = at::tensor({0, 1, 0, 1, 1}, at::kLong);
  const Tensor expected = at::softplus(u * (1 - 2 * y.to(at::kDouble)), 1, /*threshold=*/50);
  for (int64_t i = 0; i < 4; ++i) {
    const Tensor logits = at::stack({-u[i] / 2, u[i] / 2}).unsqueeze(0);
    EXPECT_NEAR(loss.value(logits, y.narrow(0, i, 1)), expected[i].item<double>(), 1e-15 + 1e-14 * i);
  }
  // ln(1 + e^-800) is beyond float64's range of normal numbers; and the loss of the opposite label is 800.
  const Tensor sure = at::tensor({-400.0, 400.0}, at::kDouble).unsqueeze(0);
  EXPECT_LT(loss.value(sure, at::tensor({1}, at::kLong)), 1e-300);
  EXPECT_DOUBLE_EQ(loss.value(sure, at::tensor({0}, at::kLong)), 800);
}

TEST(Mse, ValueAndGradientAreThoseOfTheDefinition) {
  const MseLoss loss{MseLoss::Options()};
  const Tensor logits = random({2, 7, 3}), targets = at::arange(14, at::kLong).remainder(3).view({2, 7});
  const auto value = [&](const Tensor& f, int64_t run) {
    double sum = 0;
    for (int64_t b = 0; b < 7; ++b) {
      for (int64_t c = 0; c < 3; ++c) {
        const double wanted = c == targets[run][b].item<int64_t>() ? 1 : 0, got = f[run][b][c].item<double>();
        sum += (got - wanted) * (got - wanted);
      }
    }
    return sum / 21;
  };
  const Loss::Value result = loss.with_gradient(logits, targets);
  for (int64_t run = 0; run < 2; ++run) {
    EXPECT_NEAR(result.loss_R[run].item<double>(), value(logits, run), 1e-15);
    EXPECT_NEAR(loss.value(logits[run], targets[run]), value(logits, run), 1e-15);
    for (int64_t entry = 0; entry < 21; entry += 4) {
      Tensor moved = logits.clone();
      moved.view({2, 21})[run][entry] += 1e-6;
      const double difference = (value(moved, run) - value(logits, run)) / 1e-6;
      EXPECT_NEAR(result.gradient_RBV.reshape({2, 21})[run][entry].item<double>(), difference, 1e-6);
    }
  }
}

template <class T>
void expect_rows_equal_the_whole(const Loss& loss, at::ScalarType type, double tolerance) {
  const Tensor logits = (random({1, 7, 3}) * 9).to(type), targets = at::arange(7, at::kLong).remainder(3).unsqueeze(0);
  const Loss::Value whole = loss.with_gradient(logits, targets);
  const Tensor rows = logits.clone(), losses = at::empty({7}, at::kDouble);
  const auto by_rows = loss.rows(3, 1.0 / 7);
  const auto* y = targets.const_data_ptr<int64_t>();
  if constexpr (std::is_same_v<T, float>) {
    by_rows->of_float(rows.mutable_data_ptr<T>(), 3, y, 7, losses.mutable_data_ptr<double>());
  } else {
    by_rows->of_double(rows.mutable_data_ptr<T>(), 3, y, 7, losses.mutable_data_ptr<double>());
  }
  EXPECT_LE((rows - whole.gradient_RBV).abs().max().item<double>(), tolerance);
  const double mean = losses.mean().item<double>(), rounding = 1e-15 * std::max(1.0, mean);
  EXPECT_NEAR(mean, whole.loss_R[0].item<double>(), rounding);
  EXPECT_NEAR(mean, loss.value(logits[0], targets[0]), rounding);
}

TEST(Losses, RowByRowTheyAreTheSame) {
  for (const auto& name : {"mse", "stablemax"}) {
    const auto loss = Selection(losses(), name).make<Loss>();
    expect_rows_equal_the_whole<double>(*loss, at::kDouble, 1e-15);
    expect_rows_equal_the_whole<float>(*loss, at::kFloat, 1e-6);
  }
  for (const char* arithmetic : {"float64", "float32", "float16"}) {
    const CrossEntropyLoss loss(CrossEntropyLoss::Options{.arithmetic = arithmetic});
    expect_rows_equal_the_whole<double>(loss, at::kDouble, 1e-15);
    expect_rows_equal_the_whole<float>(loss, at::kFloat, 1e-7);
  }
}

TEST(CrossEntropy, InFloat32IsPyTorchsLogSoftmaxUpToItsRoundingAndVanishesWhereThatDoes) {
  const CrossEntropyLoss loss(CrossEntropyLoss::Options{.arithmetic = "float32"});
  const NamedTensors reference = reference_under("float32/");
  const Tensor logits = reference.at("logits"), targets = at::arange(40, at::kLong).remainder(7);
  int64_t collapsed = 0;
  for (int64_t row = 0; row < 40; ++row) {
    const auto one = [&](const Tensor& t) { return t.narrow(0, row, 1); };
    const double expected = reference.at("losses")[row].item<double>();
    EXPECT_NEAR(loss.value(one(logits), one(targets)), expected, 1e-6 * std::max(1.0, expected));
    const Loss::Value value = loss.with_gradient(one(logits).unsqueeze(0), one(targets).unsqueeze(0));
    EXPECT_LT((value.gradient_RBV[0] - one(reference.at("gradients"))).abs().max().item<double>(), 1e-6);
    if (expected == 0) {
      EXPECT_EQ(value.loss_R.item<double>(), 0);
      ++collapsed;
    }
  }
  EXPECT_GE(collapsed, 1) << "the stored logits must hold a collapsed example";
}

TEST(StableMax, ValueAndGradientAreThoseOfTheDefinition) {
  const StableMaxLoss loss{StableMaxLoss::Options()};
  const Tensor logits = random({1, 7, 3}) * 3, targets = at::arange(7, at::kLong).remainder(3).unsqueeze(0);
  const auto value = [&](const Tensor& f) {
    double sum = 0;
    for (int64_t b = 0; b < 7; ++b) {
      double total = 0, right = 0;
      for (int64_t c = 0; c < 3; ++c) {
        const double x = f[0][b][c].item<double>(), s = x >= 0 ? x + 1 : 1 / (1 - x);
        total += s;
        if (c == b % 3) right = s;
      }
      sum -= std::log(right / total);
    }
    return sum / 7;
  };
  const Loss::Value result = loss.with_gradient(logits, targets);
  EXPECT_NEAR(result.loss_R.item<double>(), value(logits), 1e-14);
  for (int64_t entry = 0; entry < 21; ++entry) {
    Tensor up = logits.clone(), down = logits.clone();
    up.view({21})[entry] += 1e-5;
    down.view({21})[entry] -= 1e-5;
    EXPECT_NEAR(result.gradient_RBV.reshape({21})[entry].item<double>(), (value(up) - value(down)) / 2e-5, 1e-8);
  }
}

}  // namespace
}  // namespace logodds
