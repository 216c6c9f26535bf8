#include <gtest/gtest.h>

#include "core/error.h"
#include "core/log_odds.h"
#include "models/circuits/measures/fourier.h"
#include "models/circuits/measures/maximum_margin.h"
#include "models/circuits/measures/neurons.h"
#include "models/circuits/measures/symmetry.h"
#include "tests/models/circuits/networks.h"

namespace logodds {
namespace {

Tensor turns(int64_t p, int64_t frequency) {
  return at::arange(p, at::kDouble) * (2 * std::numbers::pi * static_cast<double>(frequency) / static_cast<double>(p));
}

TEST(Fourier, EnergiesSumToTheColumnsEnergy) {
  for (const int64_t p : {8, 9}) {
    auto generator = stream(1, "x");
    const Tensor x = at::randn({p, 3}, generator, at::kDouble);
    EXPECT_LT((frequency_energies(x).sum(0) - x.square().sum(0)).abs().max().item<double>(), 1e-12);
  }
}

TEST(Fourier, InverseParticipationCountsFrequencies) {
  const int64_t p = 13;
  const Tensor one = (turns(p, 2) + 0.3).cos() + 7, two = turns(p, 2).cos() + (turns(p, 5) + 1).cos();
  const Tensor impulse = at::one_hot(at::full({}, 4, at::kLong), p).to(at::kDouble);
  const Tensor ipr = inverse_participation(at::stack({one, two, impulse}, 1));
  EXPECT_NEAR(ipr[0].item<double>(), 1, 1e-12);
  EXPECT_NEAR(ipr[1].item<double>(), 0.5, 1e-12);
  EXPECT_NEAR(ipr[2].item<double>(), 1.0 / 6, 1e-12);  // all six frequencies alike
}

TEST(Fourier, GiniIsZeroForEqualFrequenciesAndNearOneForASingleOne) {
  const int64_t p = 13;
  EXPECT_NEAR(gini_of_frequencies(at::eye(p, at::kDouble)), 0, 1e-12);
  EXPECT_NEAR(gini_of_frequencies(turns(p, 4).cos().unsqueeze(1)), 5.0 / 6, 1e-12);  // 1 - 1/K
  // Norms 1 and 3 of six: Σ|n_i - n_j| / (2·6·4) = 2·(2 + 4·1 + 4·3) / 48.
  EXPECT_NEAR(gini_of_frequencies(at::stack({turns(p, 1).cos(), 3 * turns(p, 2).sin()}, 1)), 36.0 / 48, 1e-12);
}

TEST(Fourier, CircularityIsOneForTwoCirclesAndLessForNoise) {
  const int64_t p = 59;
  const Tensor circles =
      at::stack({turns(p, 3).cos(), turns(p, 3).sin(), 2 * turns(p, 7).cos(), 2 * turns(p, 7).sin()}, 1);
  EXPECT_NEAR(circularity(circles), 1, 1e-12);
  auto generator = stream(1, "noise");
  EXPECT_LT(circularity(at::randn({p, 20}, generator, at::kDouble)), 0.3);
}

TEST(Neurons, PhasesOfTheAnalyticNetworkObeyTheirLaw) {
  const int64_t p = 23;
  auto generator = stream(2, "phases");
  const Tensor phases = at::rand({2, 5}, generator, at::kDouble) * 6, frequencies = at::tensor({1, 4, 11, 4, 6});
  const Network network = quadratic_network(p, frequencies, at::cat({phases, phases.sum(0, true) + 0.25}));
  const Neurons found = neurons(network.observed());
  EXPECT_TRUE(at::equal(found.frequency_M, frequencies));
  EXPECT_LT((found.share_M - 0.8).abs().max().item<double>(), 1e-12);  // as derived for (cos x + cos y)²
  EXPECT_LT(((found.phase_a_M - phases[0]).cos() - 1).abs().max().item<double>(), 1e-12);
  EXPECT_LT(((found.phase_b_M - phases[1]).cos() - 1).abs().max().item<double>(), 1e-12);
  EXPECT_LT((found.phase_error_M - 0.25).abs().max().item<double>(), 1e-10);  // the error that was put in
  EXPECT_LT((found.ipr_in_M - 1).abs().max().item<double>(), 1e-12);
  EXPECT_LT((found.ipr_out_M - 1).abs().max().item<double>(), 1e-12);
}

TEST(MaximumMargin, TheConstructionReachesTheMaximum) {
  for (const int64_t p : {7, 23, 59}) {
    const Network network = maximum_margin_network(p);
    const auto ratio = maximum_margin_ratio(network.observed(), network.targets);
    ASSERT_TRUE(ratio);
    EXPECT_NEAR(*ratio, 1, 1e-6) << p;
    EXPECT_LT(neurons(network.observed()).phase_error_M.max().item<double>(), 1e-6);
  }
}

TEST(MaximumMargin, OtherNetworksStayBelow) {
  const int64_t p = 23;
  Network network = maximum_margin_network(p);
  network.parameters["unembed.W_U"][0][5].mul_(1.5);
  network.refresh();
  const double perturbed = *maximum_margin_ratio(network.observed(), network.targets);
  EXPECT_LT(perturbed, 0.9999);
  EXPECT_GT(perturbed, 0.5);
  Network one = quadratic_network(p, at::full({16}, 3, at::kLong),
                                  maximum_margin_network(p).parameters["unembed.W_U"].new_zeros({3, 16}));
  EXPECT_LT(*maximum_margin_ratio(one.observed(), one.targets), 0.1);
  const Network transformer = random_network(small_transformer(7, 1, true, true, 1), 7);
  EXPECT_FALSE(maximum_margin_ratio(transformer.observed(), transformer.targets));
}

TEST(GradientSymmetricity, IsOneWhereOnlyTheSumOfEmbeddingsCounts) {
  const int64_t p = 11;
  Mlp::Options options;
  options.hidden = {16};
  const Network sum = random_network(std::make_unique<Mlp>(options, InputShape{p, 2, p}), p);
  EXPECT_NEAR(gradient_symmetricity(sum.observed()), 1, 1e-12);
  options.combine = "concatenation";
  const Network apart = random_network(std::make_unique<Mlp>(options, InputShape{p, 2, p}), p);
  EXPECT_LT(std::abs(gradient_symmetricity(apart.observed())), 0.3);
  options.embedding = "separate", options.combine = "sum";
  const Network separate = random_network(std::make_unique<Mlp>(options, InputShape{p, 2, p}), p);
  EXPECT_NEAR(gradient_symmetricity(separate.observed()), 1, 1e-12);
  options.embedding = "one_hot";
  const Network without = random_network(std::make_unique<Mlp>(options, InputShape{p, 2, p}), p);
  EXPECT_TRUE(std::isnan(gradient_symmetricity(without.observed())));
}

TEST(GradientSymmetricity, OfUniformAttentionOverTheEmbeddingsIsExactlyOne) {
  // Two tokens, all positions summed alike and the last position's own embedding cut off: a pizza by construction.
  const Network pizza = random_network(small_transformer(7, 1, true, false, 0), 7);
  EXPECT_NEAR(gradient_symmetricity(pizza.observed()), 1, 1e-10);
}

TEST(DistanceIrrelevance, IsZeroForAFunctionOfTheDifferenceAndOneWithoutOne) {
  const int64_t p = 13;
  const Tensor pairs = all_pairs(p), difference = (pairs.select(1, 0) - pairs.select(1, 1)).remainder(p);
  EXPECT_NEAR(distance_irrelevance(turns(p, 2).cos().index_select(0, difference), p), 0, 1e-12);
  EXPECT_NEAR(distance_irrelevance(turns(p, 2).cos().index_select(0, sums(p)), p), 1, 1e-12);
  EXPECT_NEAR(distance_irrelevance(turns(p, 2).cos().index_select(0, pairs.select(1, 0)), p), 1, 1e-12);
}

}  // namespace
}  // namespace logodds
