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

TEST(PlainSoftmax, InFloat16EveryElementaryResultIsRoundedToHalf) {
  using c10::Half;
  auto generator = stream(2, "logits");
  const Tensor logits = (at::randn({30, 7}, generator, at::kDouble) * 5).to(at::kFloat);
  const Tensor targets = at::arange(30, at::kLong).remainder(7);
  const PlainSoftmax result = plain_softmax_with_gradient("float16", logits, targets, 1);
  for (int64_t row = 0; row < 30; ++row) {
    std::vector<Half> z;
    for (int64_t c = 0; c < 7; ++c) z.emplace_back(logits[row][c].item<float>());
    const Half largest = *std::max_element(z.begin(), z.end());
    Half sum = 0;
    for (const Half x : z) sum = sum + Half(std::exp(static_cast<float>(x - largest)));
    const Half log_sum = std::log(static_cast<float>(sum));
    const auto y = static_cast<size_t>(row % 7);
    EXPECT_EQ(result.loss[row].item<double>(), 0 - static_cast<double>(static_cast<float>(z[y] - largest - log_sum)));
    EXPECT_EQ(result.sum[row].item<double>(), static_cast<double>(static_cast<float>(sum)));
    for (size_t c = 0; c < 7; ++c) {
      const Half p = std::exp(static_cast<float>(Half(z[c] - largest) - log_sum));
      const Half expected = c == y ? Half(p - Half(1)) : p;
      EXPECT_EQ(result.gradient[row][static_cast<int64_t>(c)].item<float>(), static_cast<float>(expected));
    }
  }
}

}  // namespace
}  // namespace logodds
