#include "core/plain_softmax.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/log_odds.h"
#include "core/plain_softmax_loops.h"
#include "core/seeds.h"

namespace logodds {
namespace {

TEST(PlainSoftmax, RoundingToFloat16IsLibTorchs) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {  // every float16, what lies near it, and the middles between two
    const auto half = static_cast<float>(c10::Half(static_cast<unsigned short>(bits), c10::Half::from_bits()));
    if (std::isnan(half)) continue;
    const auto next = static_cast<float>(
        c10::Half(static_cast<unsigned short>((bits & 0x7fff) < 0x7bff ? bits + 1 : bits), c10::Half::from_bits()));
    const float middle = (half + next) / 2;
    for (const float x : {half, middle, std::nextafter(middle, half), std::nextafter(middle, next)}) {
      EXPECT_EQ(to_float16(x), static_cast<float>(c10::Half(x))) << x;
    }
  }
  EXPECT_TRUE(std::isnan(to_float16(std::nanf(""))));
  EXPECT_EQ(to_float16(65519.99f), 65504);
  EXPECT_EQ(to_float16(65520), INFINITY);
  EXPECT_EQ(to_float16(-1e9f), -INFINITY);
}

TEST(PlainSoftmax, OfTwoClassesCollapsesAtTheMarginThatHalfAnUlpOfOneMeans) {
  const auto collapsed = [](const char* arithmetic, double margin) {
    const PlainSoftmax result =
        plain_softmax(arithmetic, at::tensor({margin, 0.0}, at::kDouble).unsqueeze(0), at::zeros({1}, at::kLong));
    EXPECT_EQ(result.sum.item<double>() == 1, result.loss.item<double>() == 0);
    return result.sum.item<double>() == 1;
  };
  for (const auto& [arithmetic, threshold] :
       {std::pair{"float16", std::log(2.0) * 11}, {"float32", std::log(2.0) * 24}, {"float64", std::log(2.0) * 53}}) {
    EXPECT_FALSE(collapsed(arithmetic, threshold - 0.01)) << arithmetic;
    EXPECT_TRUE(collapsed(arithmetic, threshold + 0.01)) << arithmetic;
  }
}

TEST(PlainSoftmax, InFloat64IsTheAccurateOneUntilItsPrecisionEnds) {
  auto generator = stream(1, "logits");
  const Tensor logits = at::randn({3, 20, 9}, generator, at::kDouble) * 4;
  const Tensor targets = at::arange(60, at::kLong).remainder(9).view({3, 20});
  const PlainSoftmax plain = plain_softmax_with_gradient("float64", logits, targets, 0.25);
  const CrossEntropy exact = cross_entropy_with_gradient(logits, targets, 0.25);
  EXPECT_LT((plain.loss - exact.loss).abs().max().item<double>(), 1e-14);
  EXPECT_LT((plain.gradient - exact.gradient).abs().max().item<double>(), 1e-15);
}

TEST(PlainSoftmax, InFloat16TheGradientOfAMeanVanishesWhereHalfHasNoSuchSmallNumber) {
  const Tensor logits = at::tensor({0.0f, -10.0f}).unsqueeze(0);  // a wrong class of probability 4.5e-5
  const auto wrong = [&](double scale) {
    const PlainSoftmax result = plain_softmax_with_gradient("float16", logits, at::zeros({1}, at::kLong), scale);
    EXPECT_EQ(result.gradient[0][0].item<float>(), 0) << "the right class is absorbed";
    return result.gradient[0][1].item<float>();
  };
  EXPECT_GT(wrong(1), 0);
  EXPECT_EQ(wrong(1.0 / 5107), 0) << "9e-9 is below 2^-25";
}

/// Loss, S and gradient of the mean loss as LibTorch's own operators give them in a dtype, in float64.
PlainSoftmax of_libtorch(const Tensor& logits, const Tensor& targets, at::ScalarType dtype, double scale) {
  const Tensor z = logits.to(dtype), log_p = at::log_softmax(z, -1), y = targets.unsqueeze(-1);
  const Tensor weights = at::zeros_like(log_p).scatter(-1, y, -scale);
  return {.loss = -log_p.gather(-1, y).squeeze(-1).to(at::kDouble),
          .sum = (z - z.amax(-1, true)).exp().sum(-1).to(at::kDouble),
          .gradient = at::_log_softmax_backward_data(weights, log_p, -1, dtype).to(at::kDouble)};
}

TEST(PlainSoftmax, InEachArithmeticIsLibTorchsLogSoftmaxOfThatType) {
  auto generator = stream(2, "logits");
  const Tensor targets = at::arange(400, at::kLong).remainder(113);
  // From flat to collapsed: the right class's lead grows to 24 nats.
  const Tensor lead = at::one_hot(targets, 113).to(at::kDouble) * at::linspace(0, 24, 400, at::kDouble).unsqueeze(1);
  const Tensor logits = (at::randn({400, 113}, generator, at::kDouble) + lead).to(at::kFloat);
  for (const auto& [arithmetic, dtype, ulp] : {std::tuple{"float32", at::kFloat, std::ldexp(1.0, -23)},
                                               std::tuple{"float16", at::kHalf, std::ldexp(1.0, -10)}}) {
    const PlainSoftmax ours = plain_softmax_with_gradient(arithmetic, logits, targets, 0.25),
                       theirs = of_libtorch(logits, targets, dtype, 0.25);
    // Sums and exponentials differ there in their last bits.
    const Tensor allowed = theirs.loss.abs() * ulp + 4 * std::ldexp(1.0, -23);
    EXPECT_LE((ours.loss - theirs.loss).abs().sub(allowed).max().item<double>(), 0) << arithmetic;
    EXPECT_LE(((ours.sum - theirs.sum).abs() / theirs.sum).max().item<double>(), 4 * ulp) << arithmetic;
    EXPECT_LE((ours.gradient - theirs.gradient).abs().max().item<double>(), ulp) << arithmetic;
    const double collapsed = (theirs.sum == 1).to(at::kDouble).mean().item<double>();
    EXPECT_GT(collapsed, 0.05) << arithmetic;
    EXPECT_NEAR((ours.sum == 1).to(at::kDouble).mean().item<double>(), collapsed, 0.02) << arithmetic;
  }
}

}  // namespace
}  // namespace logodds
