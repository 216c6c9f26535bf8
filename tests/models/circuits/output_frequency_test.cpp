#include "models/circuits/output_frequency.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "core/log_odds.h"
#include "core/seeds.h"
#include "models/mlp.h"

namespace logodds {
namespace {

Tensor random(int64_t samples, int64_t classes, at::ScalarType type) {
  auto generator = stream(2, "logits");
  return (at::randn({samples, classes}, generator, at::kDouble) * 5 + 3).to(type);
}

/// Σ_κ A_κ cos w_κ(y-c) on all pairs of Z_p, and the targets y = a + b.
struct Constructed {
  Tensor logits;
  Tensor targets;
};
Constructed constructed(int64_t p, const std::vector<std::pair<int64_t, double>>& amplitudes) {
  const Tensor a = at::arange(p).repeat_interleave(p), b = at::arange(p).repeat({p});
  const Tensor y = (a + b).remainder(p);
  Tensor logits = at::zeros({p * p, p}, at::kDouble);
  for (const auto& [frequency, amplitude] : amplitudes) {
    const Tensor angle = (y.unsqueeze(1) - at::arange(p).unsqueeze(0)).to(at::kDouble) *
                         (2 * std::numbers::pi * static_cast<double>(frequency) / static_cast<double>(p));
    logits += angle.cos() * amplitude;
  }
  return {logits, y};
}

TEST(OutputFrequency, IsCompleteInFloat64AndFloat32ForOddAndEvenNumbersOfClasses) {
  for (const int64_t classes : {2, 3, 4, 5, 12, 113}) {
    const Tensor logits = random(50, classes, at::kDouble);
    EXPECT_LE(completeness_error(OutputFrequency(logits), logits), 1e-12) << classes;
    const Tensor narrow = logits.to(at::kFloat);
    EXPECT_LE(completeness_error(OutputFrequency(narrow), narrow), 1e-5) << classes;
    EXPECT_EQ(OutputFrequency(logits).size(), classes / 2);
  }
}

TEST(OutputFrequency, PartsAddUpOneByOne) {
  const Tensor logits = random(20, 13, at::kDouble);
  const OutputFrequency circuits(logits);
  Tensor total = at::zeros_like(logits);
  for (int64_t p = 0; p < circuits.size(); ++p) total += circuits.part(p);
  EXPECT_LT((total - centred(logits)).abs().max().item<double>(), 1e-12);
  EXPECT_LT((circuits.sum({1, 4}) - circuits.part(1) - circuits.part(4)).abs().max().item<double>(), 1e-12);
}

TEST(OutputFrequency, APartHasItsOwnFrequencyAndNoOther) {
  // Independent of the basis used: a length-13 discrete Fourier transform of each part.
  const OutputFrequency circuits(random(6, 13, at::kDouble));
  for (int64_t p = 0; p < circuits.size(); ++p) {
    const Tensor spectrum = at::fft_rfft(circuits.part(p)).abs();
    const double own = spectrum.select(1, OutputFrequency::frequency(p)).min().item<double>();
    Tensor others = spectrum.clone();
    others.select(1, OutputFrequency::frequency(p)).zero_();
    EXPECT_GT(own, 1e-3);
    EXPECT_LT(others.max().item<double>(), 1e-11);
  }
}

TEST(OutputFrequency, PartsAreOrthogonal) {
  const OutputFrequency circuits(random(20, 11, at::kDouble));
  for (int64_t p = 0; p < circuits.size(); ++p) {
    for (int64_t q = 0; q < p; ++q) {
      EXPECT_LT(std::abs((circuits.part(p) * circuits.part(q)).sum().item<double>()), 1e-10);
    }
  }
}

TEST(OutputFrequency, EvidenceAtAClassIsThePartsEntry) {
  const OutputFrequency circuits(random(9, 8, at::kDouble));
  const Tensor classes = at::arange(9).remainder(8);
  for (int64_t p = 0; p < circuits.size(); ++p) {
    const Tensor expected = circuits.part(p).gather(1, classes.unsqueeze(1)).squeeze(1);
    EXPECT_LT((circuits.at_class(p, classes) - expected).abs().max().item<double>(), 1e-12);
  }
}

TEST(OutputFrequency, SplitsAConstructedCosineExactly) {
  const auto [logits, targets] = constructed(13, {{2, 3.0}, {5, -1.5}});
  const OutputFrequency circuits(logits);
  const Tensor amplitude = circuits.template_coefficients(targets),
               fve = circuits.template_fve(circuits.template_coefficients(targets));
  for (int64_t p = 0; p < circuits.size(); ++p) {
    const int64_t frequency = OutputFrequency::frequency(p);
    const double expected = frequency == 2 ? 3.0 : frequency == 5 ? -1.5 : 0.0;
    EXPECT_NEAR(amplitude[p].item<double>(), expected, 1e-12);
    EXPECT_NEAR(fve[p].item<double>(), expected * expected / (9 + 2.25), 1e-12);
    EXPECT_NEAR(energy_shares(circuits, logits)[p].item<double>(), expected * expected / (9 + 2.25), 1e-12);
  }
  EXPECT_LT((circuits.templates({1, 4}, amplitude, targets) - logits).abs().max().item<double>(), 1e-11);
}

TEST(OutputFrequency, CosineCoefficientsOfEvenModuliIncludeTheHighestFrequency) {
  const auto [logits, targets] = constructed(6, {{3, 2.0}, {1, 1.0}});
  const OutputFrequency circuits(logits);
  EXPECT_NEAR(circuits.template_coefficients(targets)[2].item<double>(), 2, 1e-12);
  EXPECT_NEAR(circuits.template_fve(circuits.template_coefficients(targets)).sum().item<double>(), 1, 1e-12);
}

TEST(OutputFrequency, CosineCoefficientIsTheLeastSquaresFit) {
  const Tensor logits = random(169, 13, at::kDouble);
  const auto [cosine, targets] = constructed(13, {{4, 1.0}});
  const double fitted = ((centred(logits) * cosine).sum() / cosine.square().sum()).item<double>();
  EXPECT_NEAR(OutputFrequency(logits).template_coefficients(targets)[3].item<double>(), fitted, 1e-12);
}

TEST(OutputFrequency, CircuitMarginsAddUpToTheModelsMargin) {
  const Tensor logits = random(40, 9, at::kDouble), targets = at::arange(40).remainder(9);
  const Tensor margins = circuit_margins(OutputFrequency(logits), targets, runner_up(logits, targets));
  EXPECT_LT((margins.sum(0) - margin(logits, targets)).abs().max().item<double>(), 1e-12);
}

/// cos or sin of w(i·a + j·b + k·c) on all pairs and classes, [p²,p].
Tensor wave(int64_t p, int64_t i, int64_t j, int64_t k, bool sine = false) {
  const Tensor a = at::arange(p).repeat_interleave(p).unsqueeze(1), b = at::arange(p).repeat({p}).unsqueeze(1);
  const Tensor angle =
      (a * i + b * j + at::arange(p) * k).to(at::kDouble) * (2 * std::numbers::pi / static_cast<double>(p));
  return sine ? angle.sin() : angle.cos();
}

TEST(InputModes, SharesAreTheSquaresOfTheAmplitudesPutIn) {
  for (const int64_t p : {11, 12}) {
    const Tensor logits = 3 * wave(p, 2, 2, -2) + 1 * wave(p, 2, 2, -2, true) + 2 * wave(p, 2, -2, 2, true) +
                          4 * wave(p, 0, 5, -2) + 1 * wave(p, 0, 0, 2) + 5 * wave(p, 3, 1, -2) + 7 * wave(p, 3, 3, -3);
    const InputModes modes = input_modes(logits);
    const double total = 9 + 1 + 4 + 16 + 1 + 25;
    EXPECT_NEAR(modes.sum_P[1].item<double>(), 10 / total, 1e-12);
    EXPECT_NEAR(modes.difference_P[1].item<double>(), 4 / total, 1e-12);
    EXPECT_NEAR(modes.linear_P[1].item<double>(), 17 / total, 1e-12);
    EXPECT_NEAR(modes.rest_P[1].item<double>(), 25 / total, 1e-12);
    EXPECT_NEAR(modes.cosine_P[1].item<double>(), 3, 1e-12);
    EXPECT_NEAR(modes.sine_P[1].item<double>(), 1, 1e-12);
    EXPECT_NEAR(modes.sum_P[2].item<double>(), 1, 1e-12);
  }
}

TEST(InputModes, AmplitudeOfAPizzaDependsOnTheDifference) {
  // |cos(w(a-b)/2)| cos w(a+b-c), as in "The Clock and the Pizza".
  const int64_t p = 11, frequency = 3;
  const double w = 2 * std::numbers::pi * static_cast<double>(frequency) / static_cast<double>(p);
  const Tensor difference = at::arange(p).repeat_interleave(p) - at::arange(p).repeat({p});
  const Tensor pizza = (difference.to(at::kDouble) * (w / 2)).cos().abs().unsqueeze(1) * wave(p, 3, 3, -3);
  const Tensor amplitude = input_modes(pizza).amplitude_PD[frequency - 1];
  for (int64_t d = 0; d < p; ++d) {
    EXPECT_NEAR(amplitude[d].item<double>(), std::abs(std::cos(w * static_cast<double>(d) / 2)), 1e-12) << d;
  }
}

TEST(OutputFrequency, SplitPartsAreTheProjectionsOnTheModesOfTheInputs) {
  for (const int64_t p : {7, 8}) {
    const Tensor pairs = at::stack({at::arange(p).repeat_interleave(p), at::arange(p).repeat({p})}, 1);
    const Tensor logits = random(p * p, p, at::kDouble);
    const Mlp model({}, {p, 2, p});
    const Parameters parameters(model.specs(), 1, at::kDouble);
    const OutputFrequency split({.split = true}, {model, parameters, pairs, logits}), whole(logits);
    ASSERT_EQ(split.size(), 4 * whole.size());
    EXPECT_EQ(split.labels()[5], "κ=2 difference");
    EXPECT_LT(completeness_error(split, logits), 1e-12);
    const InputModes modes = input_modes(logits);
    for (int64_t part = 0; part < whole.size(); ++part) {
      const Tensor four = split.sum({4 * part, 4 * part + 1, 4 * part + 2, 4 * part + 3});
      EXPECT_LT((four - whole.part(part)).abs().max().item<double>(), 1e-12);
      const int64_t k = part + 1;
      const Tensor sum = modes.cosine_P[part] * wave(p, k, k, -k) + modes.sine_P[part] * wave(p, k, k, -k, true);
      EXPECT_LT((split.part(4 * part) - sum).abs().max().item<double>(), 1e-12) << p << " κ=" << k;
      const double share = (split.part(4 * part + 2).square().sum() / whole.part(part).square().sum()).item<double>();
      EXPECT_NEAR(modes.linear_P[part].item<double>(), share, 1e-12);
    }
  }
}

TEST(OutputFrequency, ConstantLogitsHaveNoEnergyAndNoError) {
  const Tensor logits = at::ones({4, 5});
  const OutputFrequency circuits(logits);
  EXPECT_EQ(completeness_error(circuits, logits), 0);
  EXPECT_EQ(energy_shares(circuits, logits).sum().item<double>(), 0);
}

}  // namespace
}  // namespace logodds
