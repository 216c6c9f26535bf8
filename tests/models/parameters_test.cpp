#include "models/parameters.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "core/error.h"

namespace logodds {
namespace {

const std::vector<ParameterSpec> kSpecs{{"a", {3, 5}, 1.0}, {"b", {7}, 0.0}, {"c", {2, 2}, 0.5}};

TEST(Parameters, ViewsAreWindowsOfTheFlatBufferOnCacheLines) {
  const Parameters parameters(kSpecs, 2, at::kFloat);
  EXPECT_EQ(parameters.flat().sizes(), (at::IntArrayRef{2, 48}));
  EXPECT_EQ(parameters.count(), 26);
  parameters["b"][1].fill_(2);
  EXPECT_EQ(parameters.flat()[1].narrow(0, 16, 7).sum().item<double>(), 14);
  EXPECT_EQ(parameters.flat()[0].sum().item<double>(), 0);
}

TEST(Parameters, InitialWeightsDependOnSeedAndNameOnly) {
  Parameters pack(kSpecs, 2, at::kFloat), alone({kSpecs[2], {"new", {4}, 1.0}}, 1, at::kDouble);
  pack.initialise({4, 5}, {1, 2});
  alone.initialise({5}, {1});
  EXPECT_TRUE(pack["c"][1].equal((alone["c"][0] * 2).to(at::kFloat)));
  EXPECT_FALSE(pack["c"][0].equal(pack["c"][1]));
  EXPECT_EQ(pack["b"].abs().sum().item<double>(), 0);
}

TEST(Parameters, InitialStandardDeviationIsAsStated) {
  Parameters parameters({{"w", {200, 200}, 0.25}}, 1, at::kDouble);
  parameters.initialise({0}, {1});
  EXPECT_NEAR(parameters["w"].std().item<double>(), 0.25, 0.005);  // 5 standard errors
}

TEST(Parameters, ARunIsLoadedAsItWasSaved) {
  Parameters parameters(kSpecs, 2, at::kFloat), other(kSpecs, 2, at::kFloat);
  parameters.initialise({1, 2}, {1, 1});
  other.load(0, parameters.run(1), "f");
  EXPECT_TRUE(other.flat()[0].equal(parameters.flat()[1]));
  EXPECT_TRUE(other.select(0).flat()[0].equal(parameters.flat()[1]));
}

TEST(Parameters, LoadRefusesMissingUnknownAndDifferentlyShapedTensors) {
  Parameters parameters(kSpecs, 1, at::kFloat);
  const auto error_of = [&](const NamedTensors& tensors) {
    try {
      parameters.load(0, tensors, "f");
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  NamedTensors tensors = parameters.run(0);
  tensors.erase("b");
  EXPECT_EQ(error_of(tensors), "f: tensor 'b' is missing");
  tensors["b"] = at::zeros({8});
  EXPECT_EQ(error_of(tensors), "f: tensor 'b' has shape [8], the model needs [7]");
  tensors["bb"] = at::zeros({7});
  EXPECT_EQ(error_of(tensors), "f: tensor 'bb' does not belong to this model (one of: a, b, c)");
}

TEST(Parameters, UnknownNamesAreRefused) {
  const Parameters parameters(kSpecs, 1, at::kFloat);
  EXPECT_THROW(parameters["d"], Error);
}

}  // namespace
}  // namespace logodds
