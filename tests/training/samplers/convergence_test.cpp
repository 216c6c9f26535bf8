#include "training/samplers/convergence.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "core/safetensors.h"

namespace logodds {
namespace {

TEST(Convergence, AgreesWithArviZ) {
  const auto stored = read_safetensors(LOGODDS_TEST_DATA "/arviz_reference.safetensors");
  int cases = 0;
  for (const auto& [name, draws] : stored) {
    if (!name.ends_with(".draws")) continue;
    const std::string stem = name.substr(0, name.size() - 6);
    const double* figures = stored.at(stem + ".figures").const_data_ptr<double>();
    const Convergence found = convergence(draws);
    EXPECT_NEAR(found.r_hat, figures[0], 1e-9 * figures[0]) << stem;
    EXPECT_NEAR(found.bulk_size, figures[1], 1e-6 * figures[1]) << stem;
    EXPECT_NEAR(found.tail_size, figures[2], 1e-6 * figures[2]) << stem;
    ++cases;
  }
  EXPECT_EQ(cases, 8);
}

TEST(Convergence, IsNotDefinedForFewDrawsOrDrawsThatAreNotFinite) {
  EXPECT_TRUE(std::isnan(convergence(at::rand({4, 3}, at::kDouble)).r_hat));
  EXPECT_TRUE(std::isnan(convergence(at::full({4, 30}, INFINITY, at::kDouble)).r_hat));
}

TEST(Convergence, AHalfOfTwoDrawsHasNoLagBeyondTheFirst) {
  const Tensor draws = at::tensor({1, 2, 3, 4, 11, 12, 13, 14}, at::kDouble).view({2, 4});
  // 8 / (1 + 2 ρ(1)); of the normal scores of the ranks 1 to 8, W = 0.110241, Var⁺ = 0.991782, ρ(1) = 0.861057.
  EXPECT_NEAR(convergence(draws).bulk_size, 2.93889134, 1e-7);
}

}  // namespace
}  // namespace logodds
