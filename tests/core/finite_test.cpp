#include "core/finite.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <limits>

namespace logodds {
namespace {

TEST(Finite, EveryPlaceOfAnInfinityOrNanIsFoundAndNothingElse) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  for (const auto type : {at::kFloat, at::kDouble}) {
    const double largest = type == at::kFloat ? std::numeric_limits<float>::max() : std::numeric_limits<double>::max();
    Tensor tensor = at::full({5000}, largest, type);
    tensor[7] = -largest;
    tensor[8] = 0;
    tensor[9] = type == at::kFloat ? 1e-45 : 5e-324;
    EXPECT_TRUE(all_finite(tensor));
    EXPECT_TRUE(all_finite(tensor.narrow(0, 0, 0)));
    for (const double bad : {kInfinity, -kInfinity, std::numeric_limits<double>::quiet_NaN()}) {
      for (const int64_t place : {0, 1, 4095, 4096, 4999}) {
        Tensor with = tensor.clone();
        with[place] = bad;
        EXPECT_FALSE(all_finite(with)) << bad << " at " << place;
      }
    }
  }
}

}  // namespace
}  // namespace logodds
