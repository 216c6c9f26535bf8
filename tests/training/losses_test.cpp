#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "core/seeds.h"
#include "training/losses/binary_logistic.h"
#include "training/losses/mse.h"

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

TEST(Mse, RowByRowIsTheSame) {
  const MseLoss loss{MseLoss::Options()};
  const Tensor logits = random({1, 7, 3}), targets = at::arange(7, at::kLong).remainder(3).unsqueeze(0);
  const Loss::Value whole = loss.with_gradient(logits, targets);
  const Tensor rows = logits.clone(), losses = at::empty({7}, at::kDouble);
  loss.rows(3, 1.0 / 7)->of_double(rows.mutable_data_ptr<double>(), 3, targets.const_data_ptr<int64_t>(), 7,
                                   losses.mutable_data_ptr<double>());
  EXPECT_LT((rows - whole.gradient_RBV).abs().max().item<double>(), 1e-16);
  EXPECT_NEAR(losses.mean().item<double>(), whole.loss_R[0].item<double>(), 1e-15);
}

}  // namespace
}  // namespace logodds
