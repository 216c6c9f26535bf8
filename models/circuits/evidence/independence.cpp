#include "models/circuits/evidence/independence.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/log_odds.h"
#include "core/seeds.h"

namespace logodds {

namespace {

/// Samples class by class: their numbers, and for each its rank within its class by `order` of equal-class blocks.
struct ClassBlocks {
  Tensor sorted_B;  ///< samples, grouped by class
  Tensor start_B;   ///< where the block of each sorted sample begins
  Tensor count_B;   ///< and how long it is

  explicit ClassBlocks(const Tensor& targets_B) : sorted_B(targets_B.argsort(true)) {
    const Tensor targets = targets_B.index_select(0, sorted_B), counts = at::bincount(targets_B);
    start_B = (counts.cumsum(0) - counts).index_select(0, targets);
    count_B = counts.index_select(0, targets);
  }
};

constexpr int64_t kBins = 4, kPermutations = 100;

/// Bin of each sample among the samples of its class, by rank, [B]; random `noise` breaks ties.
Tensor bins_within_classes(const Tensor& values_B, const Tensor& targets_B, const ClassBlocks& blocks) {
  const Tensor by_value = values_B.argsort(true);
  const Tensor order =
      by_value.index_select(0, targets_B.index_select(0, by_value).argsort(true));  // class, then value
  const Tensor rank = at::arange(order.size(0), at::kLong) - blocks.start_B;
  return at::empty_like(order).scatter_(0, order, (rank * kBins).div(blocks.count_B, "floor"));
}

/// Σ_y P(y) I_y of two binned variables.
double binned_information(const Tensor& bins_i, const Tensor& bins_j, const Tensor& targets_B) {
  const int64_t classes = targets_B.max().item<int64_t>() + 1, B = targets_B.size(0);
  const Tensor joint = at::bincount((targets_B * kBins + bins_i) * kBins + bins_j, {}, classes * kBins * kBins)
                           .view({classes, kBins, kBins})
                           .to(at::kDouble);
  const Tensor expected = joint.sum(2, true) * joint.sum(1, true) / joint.sum({1, 2}, true).clamp_min(1);
  return at::where(joint > 0, joint * (joint / expected.clamp_min(1e-300)).log(), 0.0).sum().item<double>() /
         static_cast<double>(B);
}

}  // namespace

Tensor evidence_against_mean(const Circuits& circuits, const std::vector<int64_t>& parts, const Tensor& targets_N,
                             const Tensor& samples_B) {
  std::vector<Tensor> rows;
  for (const int64_t p : parts) {
    const Tensor part = circuits.part(p);
    const auto classes = static_cast<double>(part.size(1));  // centred: the wrong classes sum to -f[y]
    rows.push_back(part.gather(1, targets_N.unsqueeze(1)).squeeze(1).index_select(0, samples_B) *
                   (classes / (classes - 1)));
  }
  return at::stack(rows);
}

Tensor class_conditional_correlation(const Tensor& evidence_PB, const Tensor& targets_B) {
  const Tensor evidence = evidence_PB.to(at::kDouble), counts = at::bincount(targets_B).clamp_min(1).to(at::kDouble);
  const Tensor means =
      at::zeros({evidence.size(0), counts.size(0)}, evidence.options()).index_add_(1, targets_B, evidence) / counts;
  const Tensor residual = evidence - means.index_select(1, targets_B);
  const Tensor norm = residual.norm(2, 1).unsqueeze(1);
  // Rounding is not variance.
  const Tensor varies = norm > 1e-12 * evidence.norm(2, 1).unsqueeze(1);
  const Tensor unit = at::where(varies, residual / norm.clamp_min(1e-300), 0.0);
  Tensor correlation = at::mm(unit, unit.t());
  correlation.diagonal().fill_(1);
  return correlation;
}

double total_correlation(const Tensor& correlation_PP) {
  const Tensor eigenvalues = at::linalg_eigvalsh(correlation_PP);
  if (eigenvalues.min().item<double>() < 1e-12) return std::numeric_limits<double>::infinity();
  return -0.5 * eigenvalues.log().sum().item<double>();
}

ConditionalInformation conditional_information(const Tensor& evidence_PB, const Tensor& targets_B, int64_t seed) {
  const int64_t P = evidence_PB.size(0), B = targets_B.size(0);
  const ClassBlocks blocks(targets_B);
  std::vector<Tensor> bins;
  for (int64_t i = 0; i < P; ++i) bins.push_back(bins_within_classes(evidence_PB[i], targets_B, blocks));
  auto generator = stream(seed, "permutations");
  std::vector<Tensor> permutations;  // of the samples, each within its class
  for (int64_t n = 0; n < kPermutations; ++n) {
    const Tensor shuffled = at::randperm(B, generator, at::TensorOptions().dtype(at::kLong));
    const Tensor by_class = shuffled.index_select(0, targets_B.index_select(0, shuffled).argsort(true));
    permutations.push_back(at::empty_like(by_class).scatter_(0, blocks.sorted_B, by_class));
  }
  ConditionalInformation result{at::zeros({P, P}, at::kDouble), at::zeros({P, P}, at::kDouble),
                                at::ones({P, P}, at::kDouble)};
  for (int64_t i = 0; i < P; ++i) {
    for (int64_t j = i + 1; j < P; ++j) {
      const auto first = static_cast<size_t>(i), second = static_cast<size_t>(j);
      const double found = binned_information(bins[first], bins[second], targets_B);
      double sum = 0;
      int64_t as_large = 0;
      for (const auto& permutation : permutations) {
        const double chance = binned_information(bins[first], bins[second].index_select(0, permutation), targets_B);
        sum += chance;
        as_large += chance >= found ? 1 : 0;
      }
      const double p_value = static_cast<double>(as_large + 1) / static_cast<double>(kPermutations + 1);
      for (const auto& [a, b] : {std::pair(i, j), std::pair(j, i)}) {
        result.information_PP[a][b] = found;
        result.null_PP[a][b] = sum / static_cast<double>(kPermutations);
        result.p_value_PP[a][b] = p_value;
      }
    }
  }
  return result;
}

Additivity additivity(const Circuits& circuits, const std::vector<int64_t>& parts, const Tensor& targets_N,
                      const Tensor& samples_B, int64_t seed) {
  constexpr int64_t kHidden = 16, kSteps = 100, kMostSamples = 512;
  const auto half = [&](int64_t which) {
    const Tensor index = at::arange(which, samples_B.size(0), 2);
    const int64_t stride = std::max<int64_t>(1, index.size(0) / kMostSamples);
    return samples_B.index_select(0, index.slice(0, 0, kMostSamples * stride, stride));
  };
  struct Half {
    Tensor rest_BV, evidence_BVP, targets_B;
  };
  const auto gather = [&](const Tensor& samples) {
    std::vector<Tensor> columns;
    for (const int64_t p : parts) columns.push_back(circuits.part(p).index_select(0, samples).to(at::kDouble));
    return Half{circuits.sum(circuits.all_but(parts)).index_select(0, samples).to(at::kDouble), at::stack(columns, 2),
                targets_N.index_select(0, samples)};
  };
  const Half fit = gather(half(0)), held_out = gather(half(1));
  const auto P = static_cast<int64_t>(parts.size());
  const Tensor size = fit.evidence_BVP.flatten(0, 1).std(0).clamp_min(1e-12);
  auto generator = stream(seed, "additivity");
  std::vector<Tensor> weights{at::randn({P, kHidden}, generator, at::kDouble) / std::sqrt(static_cast<double>(P)),
                              at::randn({kHidden}, generator, at::kDouble), at::zeros({kHidden, 1}, at::kDouble)};
  for (auto& weight : weights) weight.set_requires_grad(true);
  const auto logits = [&](const Half& on) {
    const Tensor hidden = (at::matmul(on.evidence_BVP / size, weights[0]) + weights[1]).tanh();
    return on.rest_BV + on.evidence_BVP.sum(2) + at::matmul(hidden, weights[2]).squeeze(2);
  };
  const auto loss = [&](const Half& on) {
    const at::NoGradGuard no_grad;
    return cross_entropy(logits(on), on.targets_B).mean().item<double>();
  };
  const Additivity at_the_sum{loss(held_out), loss(held_out)};
  double best_fit = loss(fit), best_held_out = at_the_sum.sum_loss;
  std::vector<Tensor> first, second;  // Adam's moments
  for (const auto& weight : weights) first.push_back(at::zeros_like(weight)), second.push_back(at::zeros_like(weight));
  for (int64_t step = 1; step <= kSteps; ++step) {
    const at::AutoGradMode with_grad(true);
    const Tensor f = logits(fit);
    const CrossEntropy value =
        cross_entropy_with_gradient(f.detach(), fit.targets_B, 1 / static_cast<double>(fit.targets_B.size(0)));
    const auto gradients = torch::autograd::grad({f}, weights, {value.gradient});
    const at::NoGradGuard no_grad;
    const double bias1 = 1 - std::pow(0.9, step), bias2 = 1 - std::pow(0.999, step);
    for (size_t i = 0; i < weights.size(); ++i) {
      first[i].mul_(0.9).add_(gradients[i], 0.1);
      second[i].mul_(0.999).addcmul_(gradients[i], gradients[i], 0.001);
      weights[i].sub_(0.01 * (first[i] / bias1) / ((second[i] / bias2).sqrt() + 1e-30));
    }
    if (const double now = loss(fit); now < best_fit) best_fit = now, best_held_out = loss(held_out);
  }
  return {at_the_sum.sum_loss, best_held_out};
}

double explained(const Tensor& reference_BV, const Tensor& estimate_BV) {
  const Tensor reference = centred(reference_BV.to(at::kDouble)), estimate = centred(estimate_BV.to(at::kDouble));
  return 1 - ((reference - estimate).square().sum() / reference.square().sum()).item<double>();
}

}  // namespace logodds
