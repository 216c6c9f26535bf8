// The worlds of known log-odds against computations that share nothing with them: enumeration, densities, Monte Carlo
// with its interval. Sections of theory: 1 coins, 2 unlearnable features, 3 independence, 4 loss against the number of
// forecasters, 7 ideal gas.

#include "training/tasks/forecasters.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <functional>
#include <random>
#include <set>

#include "core/calibration.h"
#include "core/error.h"
#include "core/log_odds.h"
#include "core/seeds.h"
#include "training/tasks/halfspace.h"
#include "training/tasks/majority.h"
#include "training/tasks/router.h"

namespace logodds {
namespace {

double logit(double p) { return std::log(p / (1 - p)); }

Forecasters::Options options(const std::string& channel, int64_t features, int64_t classes = 2) {
  Forecasters::Options options;
  options.channel = channel;
  options.features = features;
  options.classes = classes;
  options.sizes.test_size = 100;
  return options;
}

std::unique_ptr<World> world(const Forecasters::Options& options, int64_t seed = 0) {
  return Forecasters(options).world(0, seed);
}

double bayes_loss(Forecasters::Options of, int64_t features) {
  of.features = features;
  return world(of)->loss(1).value;
}

/// Log-odds of class 1 of two.
Tensor nats(const Tensor& logits) { return logits.select(-1, 1) - logits.select(-1, 0); }

/// All readings of k coins, ±1, [2^k,k]; bit i of the row number is feature i.
Tensor all_coins(int64_t k) {
  const Tensor row = at::arange(int64_t{1} << k).unsqueeze(1);
  return row.bitwise_right_shift(at::arange(k)).bitwise_and(1).to(at::kDouble) * 2 - 1;
}

Examples many(const World& world, int64_t count = 40000) { return world.draw(count, stream(11, "many examples")); }

struct Interval {
  double mean, error;
};
Interval interval(const Tensor& values) {
  return {values.mean().item<double>(), values.std().item<double>() / std::sqrt(static_cast<double>(values.size(0)))};
}

/// Every sort of world there is.
std::vector<std::pair<std::string, std::unique_ptr<World>>> all_worlds() {
  std::vector<std::pair<std::string, std::unique_ptr<World>>> worlds;
  const auto add = [&](const std::string& name, std::unique_ptr<World> world) {
    worlds.emplace_back(name, std::move(world));
  };
  auto gaussian = options("gaussian", 3);
  add("gaussian", world(gaussian));
  gaussian.prior = 0.2;
  add("gaussian, prior", world(gaussian));
  gaussian.prior = 0.5;
  gaussian.correlation = 0.4;
  add("gaussian, correlated", world(gaussian));
  gaussian.correlation = 0.0;
  gaussian.copies = 1;
  add("gaussian, one copy", world(gaussian));
  add("gaussian, 5 classes", world(options("gaussian", 3, 5)));
  auto coin = options("coin", 4);
  add("coin", world(coin));
  coin.prior = 0.7;
  coin.shown = 3;
  add("coin, prior, one hidden", world(coin));
  add("coin, 4 classes", world(options("coin", 3, 4)));
  add("coin, 12 classes", world(options("coin", 5, 12)));
  auto erasure = options("erasure", 4);
  erasure.accuracy = 0.9;
  erasure.erasure = 0.3;
  add("erasure", world(erasure));
  erasure.classes = 3;
  add("erasure, 3 classes", world(erasure));
  auto gas = options("von_mises", 1, 23);
  gas.strength = 3.0;
  add("von Mises, one", world(gas));
  gas.features = 3;
  add("von Mises", world(gas));
  Router::Options router;
  router.shown = 3;
  router.accuracy = 0.9;
  add("router, one hidden", Router(router).world(0, 0));
  Majority::Options majority;
  majority.shown = 3;
  add("majority, 3 of 7", Majority(majority).world(0, 0));
  Halfspace::Options plane;
  plane.shown = 4;
  add("half-space, 4 of 8", Halfspace(plane).world(0, 0));
  return worlds;
}

TEST(World, ItsLossIsThatOfItsPosteriorOnItsOwnExamples) {
  for (const auto& [name, world] : all_worlds()) {
    const Examples examples = many(*world);
    const Tensor losses = cross_entropy(world->posterior(examples.inputs_NF), examples.targets_N);
    const Estimate stated = world->loss(1);
    const auto [mean, error] = interval(losses);
    EXPECT_NEAR(stated.value, mean, 4 * std::hypot(error, stated.error)) << name;
    EXPECT_LT(stated.error, 0.004) << name;
  }
}

TEST(World, ItsPosteriorIsCalibratedOnItsOwnExamples) {
  for (const auto& [name, world] : all_worlds()) {
    const Examples examples = many(*world);
    const Tensor posterior = world->posterior(examples.inputs_NF), p = posterior.softmax(-1);
    // Residuals of the indicators are uncorrelated with any function of the inputs.
    const Tensor residual = at::one_hot(examples.targets_N, p.size(1)).to(at::kDouble) - p;
    for (int64_t i = 0; i < std::min<int64_t>(examples.inputs_NF.size(1), 4); ++i) {
      const auto [mean, error] = interval(residual.select(1, 0) * examples.inputs_NF.select(1, i));
      EXPECT_LE(std::abs(mean), 4.5 * error) << name << ", column " << i;
    }
    EXPECT_NEAR(optimal_scale(posterior, examples.targets_N).scale, 1, 0.06) << name;
    EXPECT_LT(posterior.mean(1).abs().max().item<double>(), 1e-12) << name;
  }
}

TEST(World, ASingleFeaturesLogOddsAreThePosteriorOfAWorldThatShowsItAlone) {
  for (const std::string channel : {"gaussian", "coin", "erasure"}) {
    auto alone = options(channel, 1), three = options(channel, 3);
    alone.prior = three.prior = 0.3;
    const Tensor x = many(*world(three), 50).inputs_NF;
    for (int64_t i = 0; i < 3; ++i) {
      const Tensor expected = world(alone)->posterior(x.narrow(1, i, 1));
      EXPECT_LT((world(three)->feature_log_odds(i, x) - expected).abs().max().item<double>(), 1e-12) << channel;
    }
  }
}

// 1. Coins, log-odds, cross-entropy.

TEST(Theory1, CrossEntropyOfACoinIsSmallestAtItsOwnLogOdds) {
  constexpr double b = 0.3;
  const Tensor flips = at::cat({at::ones({300}, at::kLong), at::zeros({700}, at::kLong)});
  const auto H = [&](double other) {
    const double u = logit(other);
    return cross_entropy(at::tensor({-u / 2, u / 2}, at::kDouble).expand({1000, 2}), flips).mean().item<double>();
  };
  EXPECT_NEAR(H(0.8), -b * std::log(0.8) - (1 - b) * std::log(0.2), 1e-12);
  for (const double other : {0.01, 0.2, 0.29, 0.31, 0.6}) EXPECT_GT(H(other), H(b));
}

TEST(Theory1, ExcessRiskIsTheMeanDivergence) {
  // Enumeration of three coins, any f: CE(f) - H(Y|X) = E KL(P || σ(f)).
  auto of = options("coin", 3);
  of.accuracy = 0.8;
  const Tensor x = all_coins(3), f = (x.select(1, 0) * 0.7 + x.select(1, 2).exp() - 0.4);
  const Tensor logits = at::stack({at::zeros_like(f), f}, 1);
  Tensor mass = at::empty({8, 2}, at::kDouble);  // P(x, c), from the definition of the channel
  for (int64_t row = 0; row < 8; ++row) {
    for (int64_t c = 0; c < 2; ++c) {
      const int right =
          c == 1 ? std::popcount(static_cast<unsigned>(row)) : 3 - std::popcount(static_cast<unsigned>(row));
      mass[row][c] = 0.5 * std::pow(0.8, right) * std::pow(0.2, 3 - right);
    }
  }
  const double risk = -(mass * logits.log_softmax(1)).sum().item<double>();
  const double mean = (mass.sum(1) * divergence(world(of)->posterior(x), logits)).sum().item<double>();
  EXPECT_NEAR(risk - world(of)->loss(1).value, mean, 1e-13);
}

TEST(Theory1, GaussianEvidenceIsTwiceTheMeanTimesTheReading) {
  auto of = options("gaussian", 1);
  of.strength = 0.7;
  const Tensor x = at::linspace(-5, 5, 21, at::kDouble).unsqueeze(1);
  EXPECT_LT((nats(world(of)->posterior(x)) - 2 * 0.7 * x.squeeze(1)).abs().max().item<double>(), 1e-13);
}

// 2. Unlearnable features.

TEST(Theory2, MajorityOfPartlySeenBitsIsWhatCountingAllBitsGives) {
  constexpr int64_t n = 7;
  for (const int64_t k : {1, 3, 6, 7}) {
    Majority::Options of;
    of.features = n;
    of.shown = k;
    const auto world = Majority(of).world(0, 0);
    std::vector<double> ones(size_t{1} << k, 0);
    for (uint64_t bits = 0; bits < uint64_t{1} << n; ++bits)
      ones[bits & ((uint64_t{1} << k) - 1)] += 2 * std::popcount(bits) > n ? 1 : 0;
    Tensor x = at::zeros({int64_t{1} << k, n}, at::kDouble);
    x.narrow(1, 0, k).copy_(all_coins(k));
    const Tensor p = world->posterior(x).softmax(1).select(1, 1);
    double entropy = 0;
    for (size_t seen = 0; seen < ones.size(); ++seen) {
      const double share = ones[seen] / static_cast<double>(1 << (n - k));
      EXPECT_NEAR(p[static_cast<int64_t>(seen)].item<double>(), share, 1e-12) << k << " bits, pattern " << seen;
      for (const double q : {share, 1 - share})
        entropy -= q > 0 ? q * std::log(q) / static_cast<double>(ones.size()) : 0;
    }
    EXPECT_NEAR(world->loss(1).value, entropy, 1e-12) << k;
  }
}

TEST(Theory2, HalfspaceOfPartlySeenCoordinatesIsWhatSamplingTheRestGives) {
  Halfspace::Options of;
  of.shown = 3;
  const auto world = Halfspace(of).world(0, 5);
  const Tensor w = at::randn(
      {8}, [] { return stream(5, "half-space"); }(), at::kDouble);
  const Tensor rest = at::mv(at::randn({400000, 5}, stream(1, "rest"), at::kDouble), w.narrow(0, 3, 5));
  for (const double scale : {0.3, 1.0, 2.0}) {
    Tensor x = at::zeros({1, 8}, at::kDouble);
    x.narrow(1, 0, 3).copy_(scale * at::tensor({1.0, -0.5, 0.8}, at::kDouble));
    const double p = world->posterior(x).softmax(1)[0][1].item<double>();
    const auto [share, error] = interval((rest + at::mv(x, w)).gt(0).to(at::kDouble));
    EXPECT_NEAR(p, share, 4 * error + 1e-5);
  }
}

TEST(Theory2, LogOddsOfInteractingFeaturesAreNotTheSumOfTheSingleOnes) {
  Majority::Options majority;
  majority.shown = 3;
  Halfspace::Options plane;
  plane.shown = 3;
  const std::unique_ptr<World> worlds[] = {Majority(majority).world(0, 0), Halfspace(plane).world(0, 5)};
  for (const auto& world : worlds) {
    const Examples examples = many(*world, 20000);
    Tensor sum = at::zeros({20000, 2}, at::kDouble);
    for (int64_t i = 0; i < 3; ++i) sum += world->feature_log_odds(i, examples.inputs_NF);
    const Tensor posterior = world->posterior(examples.inputs_NF);
    EXPECT_GT((sum - posterior).abs().max().item<double>(), 0.3);
    // Each takes the others for noise, so that their sum is too timid.
    EXPECT_GT(optimal_scale(sum, examples.targets_N).scale, 1.04);
  }
}

// 3. Independent forecasters add.

TEST(Theory3, PosteriorOfCoinsIsBayesRuleOverAllReadingsAndTheSumOfTheSingleOnes) {
  auto of = options("coin", 4);
  of.accuracy = 0.8;
  of.prior = 0.3;
  const Tensor x = all_coins(4), found = nats(world(of)->posterior(x));
  Tensor sum = at::zeros({16}, at::kDouble);
  for (int64_t i = 0; i < 4; ++i) sum += nats(world(of)->feature_log_odds(i, x));
  sum -= 3 * logit(0.3);
  for (int64_t row = 0; row < 16; ++row) {
    const int ones = std::popcount(static_cast<unsigned>(row));
    const double joint_1 = 0.3 * std::pow(0.8, ones) * std::pow(0.2, 4 - ones),
                 joint_0 = 0.7 * std::pow(0.2, ones) * std::pow(0.8, 4 - ones);
    EXPECT_NEAR(found[row].item<double>(), std::log(joint_1 / joint_0), 1e-12);
    EXPECT_NEAR(sum[row].item<double>(), std::log(joint_1 / joint_0), 1e-12);
  }
}

TEST(Theory3, PosteriorOfManyClassesIsBayesRuleOverAllReadings) {
  constexpr int64_t V = 4, k = 3;
  auto of = options("coin", k, V);
  of.accuracy = 0.6;
  double loss = 0;
  for (int64_t row = 0; row < V * V * V; ++row) {
    const int64_t said[] = {row % V, row / V % V, row / (V * V)};
    Tensor x = at::zeros({1, k * V}, at::kDouble), joint = at::ones({V}, at::kDouble);
    for (int64_t i = 0; i < k; ++i) {
      x[0][i * V + said[i]] = 1;
      for (int64_t c = 0; c < V; ++c) joint[c] *= said[i] == c ? 0.6 : 0.4 / 3;
    }
    const Tensor p = joint / joint.sum();
    EXPECT_LT((world(of)->posterior(x)[0].softmax(0) - p).abs().max().item<double>(), 1e-13);
    loss -= (joint / V * p.log()).sum().item<double>();
  }
  EXPECT_NEAR(world(of)->loss(1).value, loss, 1e-12);
}

TEST(Theory3, ForecastersAtTwoToOneGiveTwoToTheNToOne) {
  for (const int64_t n : {1, 3, 10}) {
    auto of = options("coin", n);
    of.accuracy = 2.0 / 3;
    EXPECT_NEAR(world(of)->unanimous_odds() / std::pow(2, n), 1, 1e-12);
    const double p = world(of)->posterior(at::ones({1, n}, at::kDouble)).softmax(1)[0][1].item<double>();
    EXPECT_NEAR(p, std::pow(2, n) / (std::pow(2, n) + 1), 1e-12);
  }
}

TEST(Theory3, ADuplicatedForecasterGainsNothingAndDoublesTheTemperatureOfTheNaiveSum) {
  auto of = options("gaussian", 2);
  of.copies = 1;
  of.told = 0;
  const auto both = world(of);
  of.shown = 1;
  EXPECT_EQ(both->loss(1).value, world(of)->loss(1).value);
  EXPECT_EQ(both->temperature(), 2);
  const Examples examples = many(*both);
  EXPECT_TRUE(examples.inputs_NF.select(1, 0).equal(examples.inputs_NF.select(1, 1)));
  const Tensor naive = both->feature_log_odds(0, examples.inputs_NF) + both->feature_log_odds(1, examples.inputs_NF);
  EXPECT_NEAR(1 / optimal_scale(naive, examples.targets_N).scale, 2, 0.06);
  const auto [loss, error] = interval(cross_entropy(naive, examples.targets_N));
  EXPECT_NEAR(both->loss(2).value, loss, 4 * error);
  EXPECT_GT(both->loss(2).value, both->loss(1).value + 0.05);
}

TEST(Theory3, EquicorrelatedEvidenceIsWorthItsSumTimesAlpha) {
  constexpr double rho = 0.35, mu = 0.8;
  constexpr int64_t k = 4;
  auto of = options("gaussian", k);
  of.correlation = rho;
  of.strength = mu;
  of.told = 0;
  const auto correlated = world(of);
  const Examples examples = many(*correlated);
  // The density itself: -½ (x-m)ᵀ Σ⁻¹ (x-m) for m = ±μ, Σ = (1-ρ) I + ρ 11ᵀ.
  const Tensor inverse = at::linalg_inv((1 - rho) * at::eye(k, at::kDouble) + rho);
  const auto density = [&](double mean) {
    const Tensor d = examples.inputs_NF - mean;
    return -0.5 * (at::mm(d, inverse) * d).sum(1);
  };
  const Tensor exact = density(mu) - density(-mu), found = nats(correlated->posterior(examples.inputs_NF));
  EXPECT_LT((exact - found).abs().max().item<double>(), 1e-10);
  Tensor naive = at::zeros({examples.targets_N.size(0), 2}, at::kDouble);
  for (int64_t i = 0; i < k; ++i) naive += correlated->feature_log_odds(i, examples.inputs_NF);
  EXPECT_NEAR(correlated->temperature(), 1 + (k - 1) * rho, 1e-12);
  EXPECT_NEAR(optimal_scale(naive, examples.targets_N).scale, 1 / (1 + (k - 1) * rho), 0.02);
  const Tensor residual = examples.inputs_NF - mu * (2 * examples.targets_N.to(at::kDouble) - 1).unsqueeze(1);
  EXPECT_NEAR(residual.t().corrcoef()[0][3].item<double>(), rho, 0.02);
}

TEST(Theory3, OddsMultiplyToTheOddsGivenThatBothHaveTheSameTruthValue) {
  const double a = 0.8, b = 0.35;
  const double both = a * b, neither = (1 - a) * (1 - b);
  EXPECT_NEAR(std::exp(logit(a) + logit(b)), both / neither, 1e-12);
}

TEST(Theory3, OnlyTheLogitOfIndependentEvidenceAdds) {
  const auto probit = [](double p) {  // Φ⁻¹ by bisection
    double low = -10, high = 10;
    for (int i = 0; i < 100; ++i) {
      const double middle = (low + high) / 2;
      (0.5 * std::erfc(-middle / std::sqrt(2)) < p ? low : high) = middle;
    }
    return low;
  };
  const auto worst = [](const std::function<double(double)>& scale) {
    double error = 0;
    for (const double a : {0.1, 0.3, 0.6, 0.9}) {
      for (const double b : {0.2, 0.5, 0.7}) {
        const double both = a * b / (a * b + (1 - a) * (1 - b));
        error = std::max(error, std::abs(scale(both) - scale(a) - scale(b)));
      }
    }
    return error;
  };
  EXPECT_LT(worst(logit), 1e-12);
  EXPECT_GT(worst([](double p) { return p; }), 0.1);
  EXPECT_GT(worst([](double p) { return std::log(p); }), 0.1);
  EXPECT_GT(worst(probit), 0.1);
}

// 4. Loss against the number of forecasters.

/// H(Y | x) of k coins by brute force over all 2^k readings.
double enumerated_coins(int64_t k, double q) {
  double loss = 0;
  for (unsigned row = 0; row < 1u << k; ++row) {
    const int ones = std::popcount(row), zeros = static_cast<int>(k) - ones;
    const double joint_1 = 0.5 * std::pow(q, ones) * std::pow(1 - q, zeros),
                 joint_0 = 0.5 * std::pow(1 - q, ones) * std::pow(q, zeros);
    loss -= joint_1 * std::log(joint_1 / (joint_1 + joint_0)) + joint_0 * std::log(joint_0 / (joint_1 + joint_0));
  }
  return loss;
}

TEST(Theory4, LossOfCoinsIsTheEnumerationOverAllReadings) {
  for (const double q : {0.9, 0.99, 0.6}) {
    auto of = options("coin", 1);
    of.accuracy = q;
    for (int64_t k = 1; k <= 12; ++k)
      EXPECT_NEAR(bayes_loss(of, k) / enumerated_coins(k, q), 1, 1e-9) << q << ", " << k;
  }
  // And its values as stated.
  EXPECT_NEAR(enumerated_coins(3, 0.99), .001678, 5e-7);
  EXPECT_NEAR(enumerated_coins(5, 0.9), .0299, 5e-5);
}

TEST(Theory4, LossOfErasuresIsLn2TimesEpsilonToTheK) {
  auto of = options("erasure", 1);
  of.accuracy = 1 - 1e-9;
  for (const double epsilon : {0.5, 0.1}) {
    of.erasure = epsilon;
    for (int64_t k = 1; k <= 6; ++k) {
      const double exact = std::log(2) * std::pow(epsilon, k);
      EXPECT_NEAR(bayes_loss(of, k), exact, 1e-7) << epsilon << ", " << k;
    }
    EXPECT_NEAR(world(of)->loss_rate(), std::log(epsilon), 1e-3);
  }
}

TEST(Theory4, LossOfGaussianEvidenceHasItsAsymptoticForm) {
  for (const double s : {8.0, 12.0}) {  // s² = 4kμ²
    auto of = options("gaussian", 16);
    of.strength = s / 8;
    const double exact = world(of)->loss(1).value;
    EXPECT_NEAR(exact / (std::sqrt(2 * M_PI) / s * std::exp(-s * s / 8)), 1, 8 / (s * s)) << s;
  }
}

TEST(Theory4, LossIsBelowTheBhattacharyyaBoundInBits) {
  auto gaussian = options("gaussian", 1), coin = options("coin", 1), erasure = options("erasure", 1);
  gaussian.strength = 0.6;
  coin.accuracy = erasure.accuracy = 0.85;
  erasure.erasure = 0.4;
  const double coins = 2 * std::sqrt(0.85 * 0.15);
  const std::pair<Forecasters::Options, double> cases[] = {
      {gaussian, std::exp(-0.36 / 2)}, {coin, coins}, {erasure, 0.4 + 0.6 * coins}};
  for (const auto& [of, overlap] : cases) {
    EXPECT_NEAR(world(of)->loss_rate(), std::log(overlap), 1e-12) << of.channel;
    for (int64_t k = 1; k <= 20; ++k)
      EXPECT_LT(bayes_loss(of, k) / std::log(2), std::pow(overlap, k)) << of.channel << ", " << k;
    // The rate itself, by what the polynomial factor 1/√k leaves of it.
    const double slope = (std::log(bayes_loss(of, 102)) - std::log(bayes_loss(of, 100))) / 2;
    EXPECT_NEAR(slope, std::log(overlap) - 1 / 202.0, 2e-3) << of.channel;
  }
}

TEST(Theory4, ConstantOddsCostMoreThanTheirErrors) {
  for (const auto& [odds, ratio] :
       {std::pair(99.0, 5.6), std::pair(99.0 * 99, 10.2), std::pair(99.0 * 99 * 99, 14.8)}) {
    auto of = options("coin", 1);
    of.accuracy = odds / (1 + odds);
    EXPECT_NEAR(world(of)->loss(1).value * (1 + odds), ratio, 0.05);
    EXPECT_NEAR(world(of)->loss(1).value * odds / (1 + std::log(odds)), 1, 0.01);
  }
}

// 7. The ideal gas.

TEST(Theory7, NoiseOfTheIdealGasIsVonMises) {
  auto of = options("von_mises", 1, 5);
  of.strength = 3.0;
  const Examples examples = many(*world(of));
  const Tensor angle = at::atan2(examples.inputs_NF.select(1, 1), examples.inputs_NF.select(1, 0));
  const auto noise = [&](double kappa) { return angle - 2 * M_PI * kappa / 5 * examples.targets_N.to(at::kDouble); };
  const bool one = noise(1).cos().mean().item<double>() > noise(2).cos().mean().item<double>();  // κ is 1 or 2
  const Tensor theta = noise(one ? 1 : 2);
  for (const int n : {1, 2, 3}) {
    const auto [cosine, error] = interval((n * theta).cos());
    EXPECT_NEAR(cosine, std::cyl_bessel_i(n, 3.0) / std::cyl_bessel_i(0, 3.0), 4 * error) << n;
    const auto [sine, sine_error] = interval((n * theta).sin());
    EXPECT_NEAR(sine, 0, 4 * sine_error) << n;
  }
}

/// Bayes loss of the ideal gas by a sampler of its own (rejection) and its own sums; mean over random distinct κ where
/// none are given.
Interval sampled_gas(int64_t p, double A, int64_t k, int64_t samples, const std::vector<int64_t>& given = {}) {
  std::mt19937_64 generator(17);
  std::uniform_real_distribution<double> uniform(0, 1);
  double sum = 0, squares = 0;
  std::vector<int64_t> kappa;
  for (int64_t i = 1; i <= (p - 1) / 2; ++i) kappa.push_back(i);
  for (int64_t sample = 0; sample < samples; ++sample) {
    std::shuffle(kappa.begin(), kappa.end(), generator);
    if (!given.empty()) kappa = given;
    std::vector<double> noise;
    while (noise.size() < static_cast<size_t>(k)) {
      const double theta = 2 * M_PI * uniform(generator);
      if (uniform(generator) < std::exp(A * (std::cos(theta) - 1))) noise.push_back(theta);
    }
    double total = 0;
    for (int64_t c = 0; c < p; ++c) {
      double exponent = 0;
      for (size_t i = 0; i < noise.size(); ++i) {
        const double angle = 2 * M_PI * static_cast<double>(kappa[i] * c % p) / static_cast<double>(p);
        exponent += A * (std::cos(noise[i] - angle) - std::cos(noise[i]));
      }
      total += std::exp(exponent);
    }
    sum += std::log(total);
    squares += std::log(total) * std::log(total);
  }
  const double mean = sum / static_cast<double>(samples);
  return {mean, std::sqrt((squares / static_cast<double>(samples) - mean * mean) / static_cast<double>(samples))};
}

/// κ of a feature: at the reading x = 2π/p the class with κ c ≡ 1 is the likeliest.
int64_t frequency_of(const World& world, int64_t feature, int64_t p, int64_t features) {
  Tensor x = at::zeros({1, 2 * features}, at::kDouble);
  x[0][2 * feature] = std::cos(2 * M_PI / static_cast<double>(p));
  x[0][2 * feature + 1] = std::sin(2 * M_PI / static_cast<double>(p));
  const int64_t c = world.feature_log_odds(feature, x)[0].argmax().item<int64_t>();
  int64_t kappa = 1;
  while (kappa * c % p != 1) ++kappa;
  return kappa;
}

TEST(Theory7, BayesLossOfTheIdealGasIsThatOfAnIndependentSimulation) {
  for (const auto& [k, A] : {std::pair(1, 8.0), std::pair(2, 8.0), std::pair(3, 2.0)}) {
    auto of = options("von_mises", k, 53);
    of.strength = A;
    const auto gas = world(of);
    std::vector<int64_t> kappa;
    for (int64_t i = 0; i < k; ++i) kappa.push_back(frequency_of(*gas, i, 53, k));
    EXPECT_EQ(std::set<int64_t>(kappa.begin(), kappa.end()).size(), static_cast<size_t>(k));
    const Interval simulated = sampled_gas(53, A, k, 8000, kappa);
    const Estimate stated = gas->loss(1);
    EXPECT_NEAR(stated.value, simulated.mean, 4 * std::hypot(simulated.error, stated.error)) << k;
  }
}

TEST(Theory7, BayesLossesOfRandomFrequenciesAreTheTable) {
  for (const auto& [k, A, stated] : {std::tuple(2, 8.0, 1.235), std::tuple(3, 8.0, .389), std::tuple(4, 2.0, 1.781)}) {
    const Interval simulated = sampled_gas(53, A, k, 6000);
    EXPECT_NEAR(simulated.mean, stated, 4 * simulated.error) << k;
  }
}

// The tasks.

TEST(SampledTask, ARunsExamplesAreAFunctionOfItsSeed) {
  const Forecasters task(options("gaussian", 3));
  const Dataset both = task.make({4, 9}), one = task.make({9});
  EXPECT_TRUE(both.inputs[1].equal(one.inputs[0]));
  EXPECT_TRUE(both.posterior_RNV[1].equal(one.posterior_RNV[0]));
  EXPECT_FALSE(both.inputs[0].equal(both.inputs[1]));
  EXPECT_EQ(one.train_RB.size(1) + one.test_RB.size(1), one.inputs.size(1));
}

TEST(SampledTask, FewerTrainingExamplesAreRepeatedInTurn) {
  auto of = options("gaussian", 3);
  of.sizes.train_size.runs = {3, 8};
  const Dataset data = Forecasters(of).make({0, 0});
  EXPECT_EQ(data.train_RB.size(1), 8);
  EXPECT_TRUE(data.inputs[0][0].equal(data.inputs[0][6]));
  EXPECT_EQ(std::get<0>(at::unique_dim(data.inputs[0].narrow(0, 0, 8), 0)).size(0), 3);
  EXPECT_EQ(std::get<0>(at::unique_dim(data.inputs[1].narrow(0, 0, 8), 0)).size(0), 8);
}

TEST(Forecasters, HiddenFeaturesReadZeroAndChangeNothing) {
  auto of = options("coin", 4);
  of.shown = 2;
  const auto two = world(of);
  const Examples examples = many(*two, 100);
  EXPECT_EQ(examples.inputs_NF.narrow(1, 2, 2).abs().max().item<double>(), 0);
  EXPECT_EQ(examples.inputs_NF.narrow(1, 0, 2).abs().min().item<double>(), 1);
  EXPECT_NEAR(two->loss(1).value, enumerated_coins(2, 0.75), 1e-12);
}

TEST(Forecasters, WhatIsNotToldIsMissingFromTheTrainingExamplesAlone) {
  auto of = options("gaussian", 2);
  of.copies = 1;
  of.told = 0;
  const Dataset data = Forecasters(of).make({0});
  const auto gap = [&](const Tensor& examples_RB) {
    const Tensor x = data.inputs[0].index_select(0, examples_RB[0]);
    return (x.select(1, 0) - x.select(1, 1)).abs().max().item<double>();
  };
  EXPECT_EQ(gap(data.test_RB), 0);
  EXPECT_GT(gap(data.train_RB), 1);
}

TEST(Forecasters, RefuseOptionsThatDoNotFitTogether) {
  const auto refuses = [](const Forecasters::Options& of) { EXPECT_THROW(Forecasters{of}, Error); };
  auto of = options("coin", 3);
  of.correlation = 0.5;
  refuses(of);
  of = options("coin", 3);
  of.copies = 2;
  refuses(of);
  of = options("coin", 3);
  of.shown.runs = {1, 4};
  refuses(of);
  refuses(options("von_mises", 3, 6));
  of = options("gaussian", 3, 4);
  of.prior = 0.3;
  refuses(of);
  of = options("coin", 3, 4);
  of.accuracy = 0.25;
  refuses(of);
  EXPECT_THROW(Majority({.features = 4, .shown = {0}, .sizes = {}}), Error);
}

}  // namespace
}  // namespace logodds
