#include "models/circuits/neuron_clusters.h"

#include <gtest/gtest.h>

#include "core/log_odds.h"
#include "models/circuits/grid.h"
#include "tests/models/circuits/networks.h"

namespace logodds {
namespace {

TEST(Grid, IsRecognisedInItsOrderOnly) {
  EXPECT_EQ(grid_modulus(all_pairs(6)), 6);
  EXPECT_EQ(grid_modulus(all_pairs(6).flip(0)), 0);
  EXPECT_EQ(grid_modulus(all_pairs(6).narrow(0, 0, 25)), 0);
}

TEST(GridFrequencies, CountEveryModeOfAFrequencyOnce) {
  // cos(w a)·cos(2w b): modes (±1,±2), of no frequency. cos(wκa) + 2 sin(wκb): all of κ, also for κ = p/2.
  for (const int64_t p : {8, 11}) {
    const double w = 2 * std::numbers::pi / static_cast<double>(p);
    const Tensor pairs = all_pairs(p).to(at::kDouble), a = pairs.select(1, 0) * w, b = pairs.select(1, 1) * w;
    const Tensor x =
        at::stack({a.cos() * (2 * b).cos(), (3 * a).cos() + 2 * (3 * b).cos() + 5,
                   (4 * (a - b)).cos() * (p == 8 ? 1 : 2), (2 * a).cos() + (3 * a).cos() * 2, at::ones_like(a)},
                  1);
    const auto [frequency, share, shares] = grid_frequencies(x, p);
    EXPECT_NEAR(share[0].item<double>(), 0, 1e-12);
    EXPECT_EQ(frequency[1].item<int64_t>(), 3);
    EXPECT_NEAR(share[1].item<double>(), 1, 1e-12);
    EXPECT_EQ(frequency[2].item<int64_t>(), 4);
    EXPECT_NEAR(share[2].item<double>(), 1, 1e-12);
    EXPECT_EQ(frequency[3].item<int64_t>(), 3);
    EXPECT_NEAR(share[3].item<double>(), 0.8, 1e-12);
    EXPECT_EQ(frequency[4].item<int64_t>(), 0);
    EXPECT_EQ(share[4].item<double>(), 0);
    EXPECT_TRUE(at::equal(std::get<0>(shares.max(1)), share));
    EXPECT_NEAR(shares[3][1].item<double>(), 0.2, 1e-12);  // the other frequency of the fourth
  }
}

TEST(NeuronClusters, FindTheFrequenciesOfTheAnalyticNetworkAndNothingElse) {
  const int64_t p = 23;
  const Tensor frequencies = at::tensor({3, 7, 3, 9, 7, 3});
  auto generator = stream(1, "phases");
  const Tensor phases = at::rand({2, 6}, generator, at::kDouble) * 6;
  const Network network = quadratic_network(p, frequencies, at::cat({phases, phases.sum(0, true)}));
  const NeuronClusters clusters({.threshold = 0.75}, network.observed());
  EXPECT_EQ(clusters.labels(), (std::vector<std::string>{"κ=3", "κ=7", "κ=9"}));
  EXPECT_EQ(clusters.neurons(), (std::vector<int64_t>{3, 2, 1}));
  // (cos x + cos y)² has a share of .8 exactly: below the default, all are unassigned.
  EXPECT_EQ(NeuronClusters({}, network.observed()).labels(), (std::vector<std::string>{"unassigned"}));
  // Neurons of one frequency write that output frequency only: the crossing is diagonal.
  const Tensor energy = *cross(clusters, *network.circuits("output_frequency"), network.logits).energy_PQ;
  const Tensor own = at::stack({energy[0][2], energy[1][6], energy[2][8]});
  EXPECT_LT((energy.sum(1) - own).abs().max().item<double>(), 1e-20);
  EXPECT_NEAR(own.sum().item<double>(), 1, 1e-12);
}

TEST(NeuronClusters, SeparateTheBiasAndWhatBypassesTheLastLayer) {
  const int64_t p = 7;
  const Network network = random_network(small_transformer(p, 1, true, true, 1), p);
  const auto clusters = network.circuits("neuron_clusters"), paths = network.circuits("residual_paths");
  EXPECT_EQ(clusters->labels()[0], "direct");
  EXPECT_EQ(clusters->labels()[1], "bias");
  const Tensor direct = paths->sum(paths->find({"embed", "pos_embed", "L0H0", "L0H1", "L0H2"}));
  EXPECT_LT((clusters->part(0) - direct).abs().max().item<double>(), 1e-12);
  const Tensor bias = centred(at::mm(network.parameters["blocks.0.mlp.b_out"], network.parameters["unembed.W_U"][0]));
  EXPECT_LT((clusters->part(1) - bias).abs().max().item<double>(), 1e-12);
}

}  // namespace
}  // namespace logodds
