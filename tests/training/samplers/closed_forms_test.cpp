#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "tests/training/samplers/toy.h"
#include "training/samplers/rmsprop_sgld.h"

// Each estimate must lie within four of its standard errors of the exact value, and the error must be small enough for
// that to say something.

namespace logodds {
namespace {

void expect_within_error(const LearningCoefficient& found, double exact, double largest_error) {
  EXPECT_LT(found.error, largest_error);
  EXPECT_LT(std::abs(found.mean - exact), 4 * found.error) << found.mean << " ± " << found.error << ", exact " << exact;
}

const std::vector<double> kCurvatures{0.5, 1, 2, 5, 20};

/// λ of the quadratic; with ε, what Langevin steps without rejections find instead (unadjusted Langevin algorithm).
double quadratic_coefficient(double nbeta, double localisation, double step_size) {
  double sum = 0;
  for (const double h : kCurvatures) {
    const double a = nbeta * h + localisation;
    sum += 0.5 * nbeta * h / (a * (1 - step_size * a / 4));
  }
  return sum;
}

TEST(ClosedForms, SgldOnAQuadraticHasExactlyItsKnownBias) {
  const double exact = quadratic_coefficient(10, 3, 0);
  for (const double step_size : {0.002, 0.01}) {  // εa is 0.4 and 2 in the stiffest direction
    const auto found = estimated(quadratic(kCurvatures), sgld(step_size), {.nbeta = 10, .localisation = 3});
    expect_within_error(found, quadratic_coefficient(10, 3, step_size), 0.03);
    if (step_size > 0.005) {
      EXPECT_GT(found.mean - exact, 15 * found.error) << "the bias must be seen";
    }
  }
}

TEST(ClosedForms, MalaOnAQuadraticIsUnbiasedAtEveryStepSize) {
  for (const double step_size : {0.002, 0.01, 0.02}) {  // at the last one unadjusted steps would diverge
    const auto found = estimated(quadratic(kCurvatures), mala(step_size), {.nbeta = 10, .localisation = 3});
    expect_within_error(found, quadratic_coefficient(10, 3, 0), 0.06);
    EXPECT_GT(found.acceptance, 0.1);
  }
}

TEST(ClosedForms, RmspropSgldOnAQuadraticHasTheBiasOfItsPreconditioner) {
  const Plan plan{.nbeta = 10, .localisation = 3};
  const double step_size = 0.005;
  const Chains chains = sampled(
      quadratic(kCurvatures),
      std::make_unique<RmspropSgld>(RmspropSgld::Options{.step_size = step_size, .decay = 0.99, .damping = 0.5}), plan);
  const auto found = learning_coefficient(chains.trace(), plan.burn_in, 1, plan.nbeta, 0);
  const Tensor G = dynamic_cast<const RmspropSgld&>(chains.sampler()).preconditioner().narrow(1, 0, 5);
  const Tensor h = at::tensor(kCurvatures, at::kDouble), a = plan.nbeta * h + plan.localisation;
  const Tensor exact_R = (0.5 * plan.nbeta * h / (a * (1 - step_size * G * a / 4))).sum(1);
  const Tensor difference = at::tensor(found.of_chain, at::kDouble) - exact_R;
  const double error = difference.std().item<double>() / std::sqrt(64.0);
  EXPECT_LT(error, 0.03);
  EXPECT_LT(std::abs(difference.mean().item<double>()), 4 * error);
  EXPECT_GT(G.max().item<double>(), 1.5 * G.min().item<double>()) << "it must precondition";
}

TEST(ClosedForms, APowerHasTheSameCoefficientAtEveryTemperature) {
  for (const int k : {1, 2, 3}) {
    const Toy power{1, [k](const Tensor& w) { return Toy::Value{w.pow(2 * k).sum(1), 2 * k * w.pow(2 * k - 1)}; }};
    for (const double nbeta : {1.0, 1000.0}) {
      // In units of the density's own width; large steps from where the force is great would be rejected for long.
      const double width = std::pow(nbeta, -0.5 / k);
      const auto found =
          estimated(power, mala(0.1 * width * width), {.nbeta = nbeta, .localisation = 0, .draws = 4000});
      expect_within_error(found, 0.5 / k, 0.008);
    }
  }
}

/// nβ E[L] with L = w1² w2⁴ under the density ∝ exp(-nβ L - (γ/2) ‖w‖²), by summing over a grid: exact to 1e-4.
double crossing_coefficient(double nbeta, double localisation) {
  const Tensor log_w = at::linspace(-14, 2.5, 3301, at::kDouble), w = log_w.exp();
  const Tensor x = w.unsqueeze(1), y = w.unsqueeze(0), energy = nbeta * x.square() * y.pow(4);
  const Tensor density = (-energy - 0.5 * localisation * (x.square() + y.square())).exp() * x * y;
  return ((energy * density).sum() / density.sum()).item<double>();
}

TEST(ClosedForms, ANormalCrossingAtFiniteTemperatureAndInItsLimit) {
  // λ = 1/(2 max k) = 1/4; at a finite nβ it is more by what the quadrature says.
  EXPECT_NEAR(crossing_coefficient(1e12, 1), 0.25, 0.003);
  const Toy crossing{
      2, [](const Tensor& w) {
        const Tensor x = w.select(1, 0), y = w.select(1, 1);
        return Toy::Value{x.square() * y.pow(4), at::stack({2 * x * y.pow(4), 4 * x.square() * y.pow(3)}, 1)};
      }};
  // Steps that fit the narrow arms of the cross.
  const auto found = estimated(crossing, mala(0.02), {.nbeta = 5, .localisation = 1, .burn_in = 2000, .draws = 8000});
  expect_within_error(found, crossing_coefficient(5, 1), 0.012);
}

/// Reduced-rank regression on whitened inputs with the zero map, L = ½ ‖B A‖², A [h,m], B [n,h].
Toy reduced_rank(int64_t m, int64_t h, int64_t n) {
  return {h * (m + n), [=](const Tensor& w) {
            const Tensor A = w.narrow(1, 0, h * m).view({-1, h, m}), B = w.narrow(1, h * m, n * h).view({-1, n, h});
            const Tensor C = at::bmm(B, A);
            return Toy::Value{
                0.5 * C.square().sum({1, 2}),
                at::cat({at::bmm(B.transpose(1, 2), C).flatten(1), at::bmm(C, A.transpose(1, 2)).flatten(1)}, 1)};
          }};
}

/// Its nβ E[L] with γ = 1: given A, B is Gaussian, and the singular values s of A have the density
/// ∝ Π_{i<j} |s_i² - s_j²| Π_i s_i^{|h-m|} e^{-s_i²/2} (1 + nβ s_i²)^{-n/2}, summed over a grid in ln s.
double reduced_rank_coefficient(int64_t m, int64_t h, int64_t n, double nbeta) {
  const int64_t count = std::min(m, h), excess = std::abs(h - m), points = 160;
  const Tensor s = at::linspace(std::log(1e-3 / std::sqrt(nbeta)), std::log(7.0), points, at::kDouble).exp();
  const auto N = static_cast<double>(n);
  const Tensor one = s.pow(excess + 1) * (-0.5 * s.square()).exp() * (1 + nbeta * s.square()).pow(-N / 2);
  const Tensor energy = 0.5 * N * nbeta * s.square() / (1 + nbeta * s.square());
  const auto along = [&](const Tensor& x, int64_t axis) {
    std::vector<int64_t> shape(static_cast<size_t>(count), 1);
    shape[static_cast<size_t>(axis)] = points;
    return x.view(shape);
  };
  Tensor density = at::ones({}, at::kDouble), total = at::zeros({}, at::kDouble);
  for (int64_t i = 0; i < count; ++i) {
    density = density * along(one, i);
    total = total + along(energy, i);
    for (int64_t j = 0; j < i; ++j) density = density * (along(s, i).square() - along(s, j).square()).abs();
  }
  return ((density * total).sum() / density.sum()).item<double>();
}

TEST(ClosedForms, ReducedRankRegressionTendsToItsLearningCoefficient) {
  struct {
    int64_t m, h, n;
    double lambda;
  } const published[] = {{4, 3, 8, 6}, {8, 3, 4, 6}, {3, 8, 4, 6}};
  for (const auto& [m, h, n, lambda] : published) {
    EXPECT_NEAR(reduced_rank_coefficient(m, h, n, 1e8), lambda, 0.02) << m << " " << h << " " << n;
  }
  // Of multiplicity 2: nβ E[L] = λ - 1/ln nβ + …, so the limit is approached slowly.
  EXPECT_NEAR(reduced_rank_coefficient(5, 3, 5, 1e10) + 1 / std::log(1e10), 6.5, 0.05);
}

TEST(ClosedForms, ReducedRankRegressionIsSampledAtItsExactValue) {
  struct {
    int64_t m, h, n;
  } const shapes[] = {{5, 3, 5}, {4, 3, 8}, {8, 3, 4}, {3, 8, 4}};
  for (const auto& [m, h, n] : shapes) {
    Toy toy = reduced_rank(m, h, n);
    toy.start = 0.2;
    const auto found = estimated(toy, mala(0.01, 0.574),
                                 {.nbeta = 100, .localisation = 1, .chains = 64, .burn_in = 1500, .draws = 3000});
    expect_within_error(found, reduced_rank_coefficient(m, h, n, 100), 0.06);
  }
}

/// L = Σ ε_j w_j² with every w_j in [-1, 1]: an energy scale per direction.
const std::vector<double> kScales{1, 1, 0.01, 0.01, 0.01};
Toy staircase() {
  const Tensor scales = at::tensor(kScales, at::kDouble);
  return {static_cast<int64_t>(kScales.size()), [scales](const Tensor& w) {
            const Tensor energy = (scales * w.square()).sum(1), outside = w.abs().amax(1) > 1;
            return Toy::Value{energy.masked_fill(outside, INFINITY), 2 * scales * w};
          }};
}
double staircase_coefficient(double nbeta) {
  double sum = 0;
  for (const double scale : kScales) {
    const double a = nbeta * scale, root = std::sqrt(a);
    sum += 0.5 - root * std::exp(-a) / (std::sqrt(std::numbers::pi) * std::erf(root));
  }
  return sum;
}

TEST(ClosedForms, TheStaircaseIsClimbedStepByStepByTemperedChains) {
  const std::vector<double> ladder{1, 10, 100, 1000, 10000};
  const int64_t K = 5, replicas = 32, burn_in = 1000, draws = 3000;
  Target target = staircase().target(K * replicas, 1, 0);
  for (size_t r = 0; r < target.nbeta.size(); ++r) target.nbeta[r] = ladder[r % K];
  for (const double nbeta : target.nbeta) target.step_size.push_back(0.5 / nbeta);
  Chains chains(staircase().chains(K * replicas), target, mala(1, 0.574), burn_in, 1);
  chains.temper(K, 5);
  chains.run_to(burn_in + draws);
  const Trace trace = chains.trace();
  const Tensor energy = trace.energy_RS.slice(1, burn_in), place = trace.place_RS.slice(1, burn_in);
  for (int64_t k = 0; k < K; ++k) {
    // Per ladder, the mean over the draws that its k-th temperature made.
    const Tensor here = (place % K == k).to(at::kDouble).view({replicas, K, -1});
    const Tensor of_ladder = (here * energy.view({replicas, K, -1})).sum({1, 2}) / here.sum({1, 2});
    const Tensor lambda = ladder[static_cast<size_t>(k)] * of_ladder;
    const double error = lambda.std().item<double>() / std::sqrt(static_cast<double>(replicas));
    EXPECT_LT(error, 0.06);
    EXPECT_LT(std::abs(lambda.mean().item<double>() - staircase_coefficient(ladder[static_cast<size_t>(k)])), 4 * error)
        << ladder[static_cast<size_t>(k)];
  }
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_GT(chains.exchanges().made[i], 0.01 * static_cast<double>(chains.exchanges().tried[i])) << i;
  }
}

}  // namespace
}  // namespace logodds
