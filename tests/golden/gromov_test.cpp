// Gromov 2023 (arXiv 2301.02679): a quadratic one-hot network with analytic weights solves modular addition. Put into
// our `mlp`, it must reach the accuracies recomputed from the paper's formula, and the decomposition must find its
// frequencies and no others.

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "core/log_odds.h"
#include "core/seeds.h"
#include "models/circuits/key_circuits.h"
#include "models/circuits/output_frequency.h"
#include "models/mlp.h"

namespace logodds {
namespace {

struct Network {
  Tensor logits;   // [p²,p]
  Tensor targets;  // [p²]
};

/// W1 = (cos(2πk n1/p + φ1), cos(2πk n2/p + φ2)), W2 = cos(-2πk q/p - φ1 - φ2), neuron j with frequency
/// frequencies[j]; random phases.
Network analytic(int64_t p, const std::vector<int64_t>& frequencies, int64_t seed) {
  const auto units = static_cast<int64_t>(frequencies.size());
  const Mlp model({.embedding = "one_hot",
                   .combine = "concatenation",
                   .d_embed = 1,
                   .hidden = {units},
                   .activation = "quadratic",
                   .bias = false,
                   .init_scale = {}},
                  {p, 2, p});
  Parameters parameters(model.specs(), 1, at::kDouble);
  auto generator = stream(seed, "phases");
  const Tensor phases = at::rand({2, units}, generator, at::kDouble) * (2 * std::numbers::pi);
  const Tensor angle = at::arange(p, at::kDouble).unsqueeze(1) * at::tensor(frequencies, at::kDouble) *
                       (2 * std::numbers::pi / static_cast<double>(p));
  parameters["blocks.0.mlp.W_in"][0].copy_(at::cat({(angle + phases[0]).cos(), (angle + phases[1]).cos()}));
  parameters["unembed.W_U"][0].copy_((-angle - phases[0] - phases[1]).cos().t());
  const Tensor a = at::arange(p).repeat_interleave(p), b = at::arange(p).repeat({p});
  return {model.logits(parameters, at::stack({a, b}, -1).unsqueeze(0)).squeeze(0), (a + b).remainder(p)};
}

/// Neuron j has frequency 1 + j mod (p-1)/2.
std::vector<int64_t> all_frequencies(int64_t p, int64_t units) {
  std::vector<int64_t> frequencies;
  for (int64_t j = 0; j < units; ++j) frequencies.push_back(1 + j % ((p - 1) / 2));
  return frequencies;
}

double mean_accuracy(int64_t p, int64_t units) {
  double sum = 0;
  for (int64_t seed = 0; seed < 5; ++seed) {
    const auto [logits, targets] = analytic(p, all_frequencies(p, units), seed);
    sum += accuracy(logits, targets).item<double>() / 5;
  }
  return sum;
}

TEST(Gromov, AnalyticNetworksReachThePublishedAccuracies) {
  // Published: mean of five phase seeds .9506 and .9997 (p = 59), .9991 and 1.0 (p = 113); the seeds are ours.
  EXPECT_NEAR(mean_accuracy(59, 58), 0.9506, 0.02);
  EXPECT_NEAR(mean_accuracy(59, 118), 0.9997, 0.002);
  EXPECT_NEAR(mean_accuracy(113, 112), 0.9991, 0.003);
  EXPECT_GT(mean_accuracy(113, 226), 0.9999);
}

TEST(Gromov, TheFrequenciesPutInAreFoundAndNoOthers) {
  const int64_t p = 59, per_frequency = 400;
  const std::vector<int64_t> put_in{3, 11, 27};
  std::vector<int64_t> frequencies;
  for (const int64_t frequency : put_in) frequencies.insert(frequencies.end(), per_frequency, frequency);
  const auto [logits, targets] = analytic(p, frequencies, 0);
  const OutputFrequency circuits(logits);
  const auto chosen = key_circuits(circuits.template_fve(circuits.template_coefficients(targets)), 0.01);
  std::vector<int64_t> found;
  for (const int64_t part : chosen.key) found.push_back(OutputFrequency::frequency(part));
  std::ranges::sort(found);
  EXPECT_EQ(found, put_in);
  // The second layer has no other output frequency: the rest of the energy is exactly nothing.
  const Tensor shares = energy_shares(circuits, logits);
  for (const int64_t part : chosen.other) EXPECT_LT(shares[part].item<double>(), 1e-20);
}

TEST(Gromov, EveryNeuronContributesAnAmplitudeOfOneHalf) {
  // (cos x + cos y)² holds cos(x+y), and cos(w(a+b) + φ) cos(wq + φ) = ½ cos w(a+b-q) + ½ cos(w(a+b+q) + 2φ): whatever
  // the phases, the coefficient of cos w(y-c) is ½.
  const int64_t p = 31, units = 40;
  const auto [logits, targets] = analytic(p, std::vector<int64_t>(units, 5), 1);
  const double amplitude = OutputFrequency(logits).template_coefficients(targets)[4].item<double>();
  EXPECT_NEAR(amplitude / units, 0.5, 1e-12);
}

}  // namespace
}  // namespace logodds
