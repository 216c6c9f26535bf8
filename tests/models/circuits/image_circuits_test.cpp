// The decompositions for features: units and their clusters, input times gradient, Shapley values of patches.

#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"
#include "core/log_odds.h"
#include "models/circuits/feature_groups.h"
#include "models/circuits/input_gradient.h"
#include "models/circuits/k_means.h"
#include "models/circuits/measures/gauss_newton.h"
#include "models/circuits/patch_shapley.h"
#include "models/circuits/unit_clusters.h"
#include "models/circuits/units.h"
#include "tests/models/circuits/image_networks.h"

namespace logodds {
namespace {

const std::vector<int64_t> kImage{2, 6, 4};  // two channels of 6 × 4
constexpr int64_t kPixels = 48;

double error_of(const Circuits& circuits, const Tensor& logits) { return completeness_error(circuits, logits); }

TEST(ImageCircuits, AreCompleteInBothTypesWithAndWithoutBiases) {
  for (const auto& [type, error] : {std::pair(at::kDouble, 1e-12), std::pair(at::kFloat, 1e-5)}) {
    for (const bool bias : {true, false}) {
      for (const auto& hidden : {std::vector<int64_t>{7}, std::vector<int64_t>{12, 9}}) {
        const FeatureNetwork network(image_mlp(kImage, 5, hidden, "relu", bias), kPixels, 20, type);
        for (const char* name : {"units", "unit_clusters", "input_gradient", "patch_shapley", "svd"}) {
          const auto circuits = Selection(decompositions(), name).make<Circuits>(network.observed());
          EXPECT_LE(error_of(*circuits, network.logits), error) << name << ", bias " << bias;
        }
      }
    }
  }
}

TEST(FeatureGroups, CutEveryChannelOfAnImageIntoPatchesAndEveryFeatureIntoOneGroup) {
  const auto [labels, mask] = feature_groups(kImage, kPixels, 3, 2);
  EXPECT_EQ(labels.front(), "patch 1.1");
  EXPECT_EQ(labels.back(), "patch 3.2");
  EXPECT_TRUE(mask.sum(0).eq(1).all().item<bool>());
  EXPECT_TRUE(mask.sum(1).eq(8).all().item<bool>());
  // Row 3, column 1 of the second channel is in the second row's first patch.
  EXPECT_EQ(mask[2][24 + 3 * 4 + 1].item<double>(), 1);
  EXPECT_EQ(feature_groups({}, 3, 4, 4).labels, (std::vector<std::string>{"feature 0", "feature 1", "feature 2"}));
  EXPECT_EQ(feature_groups({}, 5, 1, 2).labels, (std::vector<std::string>{"features 0 to 2", "features 3 to 4"}));
  EXPECT_THROW(feature_groups(kImage, kPixels, 7, 1), Error);
}

/// Hidden units that each read one of 3 × 2 patches: f = b + Σ_patches g_patch(x_patch).
struct PatchAdditive {
  FeatureNetwork network{image_mlp(kImage, 4, {24}), kPixels, 10};
  FeatureGroups groups = feature_groups(kImage, kPixels, 3, 2);

  PatchAdditive() {
    const Tensor unit_reads = groups.mask_GF.t().repeat_interleave(4, 1);  // units 0 to 3 read patch 0, …
    network.parameters["blocks.0.mlp.W_in"][0].mul_(unit_reads);
    network.refresh();
  }
  /// g_patch(x), centred.
  Tensor own(int64_t patch, const Tensor& x) const {
    const auto tensor = [&](const char* name) { return network.parameters[name][0]; };
    const Tensor h = at::relu(at::mm(x, tensor("blocks.0.mlp.W_in")) + tensor("blocks.0.mlp.b_in"));
    return centred(at::mm(h.narrow(1, 4 * patch, 4), tensor("unembed.W_U").narrow(0, 4 * patch, 4)));
  }
};

TEST(PatchShapley, GivesAPatchAdditiveNetworkExactlyItsOwnParts) {
  const PatchAdditive additive;
  const auto shapley = additive.network.circuits<PatchShapley>({.rows = 3, .columns = 2, .backgrounds = 5});
  for (int64_t patch = 0; patch < 6; ++patch) {
    const Tensor expected = additive.own(patch, additive.network.inputs) -
                            additive.own(patch, additive.network.reference).mean(0, /*keepdim=*/true);
    EXPECT_LT((shapley.part(patch) - expected).abs().max().item<double>(), 1e-12) << patch;
  }
}

TEST(PatchShapley, EqualsTheMeanOfMarginalContributionsOverAllOrders) {
  const FeatureNetwork network(image_mlp(kImage, 3, {10, 6}), kPixels, 4);
  const auto shapley = network.circuits<PatchShapley>({.rows = 2, .columns = 2, .backgrounds = 5});
  const Tensor mask = feature_groups(kImage, kPixels, 2, 2).mask_GF;
  const auto value = [&](const std::vector<int64_t>& kept) {
    Tensor total = at::zeros({4, 3}, at::kDouble);
    for (int64_t b = 0; b < 5; ++b) {
      Tensor x = network.reference[b].expand({4, kPixels}).clone();
      for (const int64_t g : kept) x = at::where(mask[g] > 0, network.inputs, x);
      total += network.model->logits(network.parameters, x.unsqueeze(0))[0] / 5;
    }
    return centred(total);
  };
  std::vector<Tensor> expected(4, at::zeros({4, 3}, at::kDouble));
  std::vector<int64_t> order{0, 1, 2, 3};
  do {
    std::vector<int64_t> kept;
    for (const int64_t g : order) {
      const Tensor before = value(kept);
      kept.push_back(g);
      expected[static_cast<size_t>(g)] = expected[static_cast<size_t>(g)] + (value(kept) - before) / 24;
    }
  } while (std::ranges::next_permutation(order).found);
  for (int64_t g = 0; g < 4; ++g)
    EXPECT_LT((shapley.part(g) - expected[static_cast<size_t>(g)]).abs().max().item<double>(), 1e-12) << g;
  EXPECT_LT((shapley.part(4) - value({})).abs().max().item<double>(), 1e-12);  // "background"
}

TEST(PatchShapley, RefusesTooManyPatchesAndTooManyEvaluations) {
  FeatureNetwork network(image_mlp(kImage, 3, {4}), kPixels, 1000);
  network.reference = network.inputs;
  EXPECT_THROW(network.circuits<PatchShapley>({.rows = 4, .columns = 3, .backgrounds = 1}), Error);
  EXPECT_THROW(network.circuits<PatchShapley>({.rows = 3, .columns = 3, .backgrounds = 64}), Error) << "33 million";
}

TEST(InputGradient, GivesALinearNetworkItsWeightsTimesTheInput) {
  FeatureNetwork network(image_mlp(kImage, 3, {6}), kPixels, 10);
  network.inputs = network.inputs.abs();
  network.parameters["blocks.0.mlp.W_in"].abs_();  // every unit is active everywhere, so the network is linear
  network.parameters["blocks.0.mlp.b_in"].abs_();
  network.refresh();
  const auto parts = network.circuits<InputGradient>({.rows = 3, .columns = 2});
  const Tensor W = at::mm(network.parameters["blocks.0.mlp.W_in"][0], network.parameters["unembed.W_U"][0]);
  const Tensor mask = feature_groups(kImage, kPixels, 3, 2).mask_GF;
  for (int64_t patch = 0; patch < 6; ++patch) {
    const Tensor expected = centred(at::mm(network.inputs * mask[patch], W));
    EXPECT_LT((parts.part(patch) - expected).abs().max().item<double>(), 1e-12);
  }
  const Tensor bias = at::mm(network.parameters["blocks.0.mlp.b_in"], network.parameters["unembed.W_U"][0]) +
                      network.parameters["unembed.b_U"];
  EXPECT_LT((parts.part(6) - centred(bias)).abs().max().item<double>(), 1e-12);
}

TEST(InputGradient, RefusesNetworksThatAreNotPiecewiseLinear) {
  EXPECT_THROW(FeatureNetwork(image_mlp(kImage, 3, {6}, "gelu"), kPixels, 10).circuits<InputGradient>(), Error);
}

TEST(Units, PartsAreActivationTimesOutputWeights) {
  const FeatureNetwork network(image_mlp(kImage, 3, {8, 6}), kPixels, 10);
  const auto units = network.circuits<Units>();
  const LogitPaths paths = network.model->paths(network.parameters, network.inputs);
  const Tensor h = paths.paths[paths.neurons].source, W = network.parameters["unembed.W_U"][0];
  const auto number = units.find({"unit 4"})[0];
  EXPECT_TRUE(at::allclose(units.part(number), at::outer(h.select(1, 4), centred(W)[4]), 0, 1e-14));
}

TEST(UnitClusters, FindPlantedGroupsAndNameTheirClasses) {
  FeatureNetwork network(image_mlp(kImage, 5, {31}), kPixels, 200);
  auto generator = stream(1, "planted");
  const Tensor W_U = network.parameters["unembed.W_U"][0];
  W_U.copy_(0.02 * at::randn(W_U.sizes(), generator, at::kDouble));
  const int64_t classes[] = {1, 3, 4};
  for (int64_t j = 0; j < 30; ++j) W_U[j][classes[j % 3]] += 1 + static_cast<double>(j) / 30;
  network.parameters["blocks.0.mlp.W_in"][0].select(1, 30).zero_();
  network.parameters["blocks.0.mlp.b_in"][0][30] = -1.0;  // never active
  network.refresh();
  const auto clusters = network.circuits<UnitClusters>();
  std::map<std::string, int64_t> sizes;
  for (int64_t p = 0; p < clusters.size(); ++p) {
    const std::string& label = clusters.labels()[static_cast<size_t>(p)];
    sizes[label.starts_with("cluster") ? label.substr(label.find("for")) : label] =
        clusters.units()[static_cast<size_t>(p)];
  }
  EXPECT_EQ(sizes,
            (std::map<std::string, int64_t>{{"bias", 0}, {"for 1", 10}, {"for 3", 10}, {"for 4", 10}, {"silent", 1}}));
}

TEST(UnitClusters, AreTheSameForTheSameSeedAndAsManyAsAsked) {
  const FeatureNetwork network(image_mlp(kImage, 5, {20}), kPixels, 50);
  const auto one = network.circuits<UnitClusters>({.clusters = 4, .seed = 3}),
             two = network.circuits<UnitClusters>({.clusters = 4, .seed = 3});
  EXPECT_EQ(one.labels(), two.labels());
  EXPECT_EQ(one.units(), two.units());
  EXPECT_EQ(one.size(), 5);  // and the bias
  EXPECT_THROW(network.circuits<UnitClusters>({.clusters = 21}), Error);
}

TEST(KMeans, ReachesTheLeastSpreadOfAllPartitionsOfFewPoints) {
  auto draws = stream(2, "points"), generator = stream(3, "k-means");
  const Tensor points = at::randn({8, 2}, draws, at::kDouble), weights = at::rand({8}, draws, at::kDouble) + 0.1;
  double least = INFINITY;
  for (int64_t code = 0; code < 6561; ++code) {  // 3^8
    std::vector<int64_t> member;
    for (int64_t i = 0, rest = code; i < 8; ++i, rest /= 3) member.push_back(rest % 3);
    const Tensor weight_NK = at::one_hot(at::tensor(member, at::kLong), 3).to(at::kDouble) * weights.unsqueeze(1);
    const Tensor centres = at::mm(weight_NK.t(), points) / weight_NK.sum(0).clamp_min(1e-300).unsqueeze(1);
    const Tensor distance = (points - centres.index_select(0, at::tensor(member, at::kLong))).square().sum(1);
    least = std::min(least, (distance * weights).sum().item<double>());
  }
  EXPECT_NEAR(k_means(points, weights, 3, generator).spread, least, 1e-12);
}

TEST(KMeans, SilhouetteIsThatOfItsDefinition) {
  const Tensor points = at::tensor({0.0, 1.0, 10.0, 12.0}, at::kDouble).unsqueeze(1), ones = at::ones({4}, at::kDouble);
  const Clusters clusters{at::tensor({0, 0, 1, 1}, at::kLong), at::tensor({0.5, 11.0}, at::kDouble).unsqueeze(1), 0};
  const double expected = ((11 - 1) / 11.0 + (10 - 1) / 10.0 + (9.5 - 2) / 9.5 + (11.5 - 2) / 11.5) / 4;
  EXPECT_NEAR(silhouette(points, ones, clusters), expected, 1e-14);
}

TEST(GaussNewton, EigenvaluesAreSecondDifferencesOfTheLossAlongTheirDirections) {
  const FeatureNetwork network(image_mlp(kImage, 4, {8, 6}), kPixels, 60);
  const LogitPaths paths = network.model->paths(network.parameters, network.inputs);
  const LogitPath& neurons = paths.paths[paths.neurons];
  const CurvedDirections found = curved_directions(neurons.map_IV, network.logits, 10);
  ASSERT_EQ(found.eigenvalue_K.size(0), 3);  // V - 1
  const Tensor targets = at::arange(60, at::kLong).remainder(4);
  for (int64_t k = 0; k < 3; ++k) {
    const auto loss = [&](double t) {
      const Tensor shift = at::mv(neurons.map_IV.t(), found.direction_MK.select(1, k)) * t;
      return cross_entropy(network.logits + shift, targets).mean().item<double>();
    };
    const double h = 1e-3, second = (loss(h) - 2 * loss(0) + loss(-h)) / (h * h);
    EXPECT_NEAR(found.eigenvalue_K[k].item<double>(), second, 1e-5 * second);
  }
  const Tensor gram = at::mm(found.direction_MK.t(), found.direction_MK);
  EXPECT_LT((gram - at::eye(3, at::kDouble)).abs().max().item<double>(), 1e-12);
}

TEST(GaussNewton, WithoutADirectionTheLayerIsConstantAlongIt) {
  const FeatureNetwork network(image_mlp(kImage, 4, {6}), kPixels, 30);
  const LogitPaths paths = network.model->paths(network.parameters, network.inputs);
  const LogitPath& neurons = paths.paths[paths.neurons];
  const Tensor u = curved_directions(neurons.map_IV, network.logits, 1).direction_MK.select(1, 0);
  const Tensor along = at::mv(neurons.source, u);
  const Tensor h = neurons.source - at::outer(along - along.mean(), u);
  const Tensor expected = at::mm(h, neurons.map_IV) + network.parameters["unembed.b_U"];
  EXPECT_LT((without_direction(neurons, network.logits, u) - expected).abs().max().item<double>(), 1e-12);
}

}  // namespace
}  // namespace logodds
