#include "models/circuits/evidence/ablation.h"

#include <ATen/ATen.h>

#include <bit>
#include <cmath>

#include "core/error.h"
#include "core/log_odds.h"

namespace logodds {

namespace {

constexpr size_t kMostPlayers = 12;

/// Visits every subset of the players from `next` on, with the logits of what is kept so far.
void visit_subsets(const std::vector<Tensor>& parts, size_t next, size_t kept, const Tensor& logits,
                   const std::function<void(size_t, const Tensor&)>& visit) {
  if (next == parts.size()) return visit(kept, logits);
  visit_subsets(parts, next + 1, kept, logits, visit);
  visit_subsets(parts, next + 1, kept | (size_t{1} << next), logits + parts[next], visit);
}

}  // namespace

SubsetValues subset_values(const Circuits& circuits, const std::vector<int64_t>& parts, const Tensor& logits_NV,
                           const Tensor& targets_N, const Tensor& samples_B) {
  if (parts.size() > kMostPlayers) throw Error("all subsets are of at most 12 circuits", ExitCode::internal);
  const Tensor targets = targets_N.index_select(0, samples_B);
  const Tensor rivals = runner_up(logits_NV.index_select(0, samples_B), targets);
  std::vector<Tensor> players;
  for (const int64_t p : parts) players.push_back(circuits.part(p).index_select(0, samples_B));
  const Tensor always = circuits.sum(circuits.all_but(parts)).index_select(0, samples_B);
  const auto subsets = static_cast<int64_t>(size_t{1} << parts.size());
  SubsetValues values{static_cast<int64_t>(parts.size()), at::empty({subsets}, at::kDouble),
                      at::empty({subsets}, at::kDouble), at::empty({subsets}, at::kDouble)};
  visit_subsets(players, 0, 0, always, [&](size_t subset, const Tensor& logits) {
    const auto s = static_cast<int64_t>(subset);
    values.loss[s] = cross_entropy(logits, targets).mean();
    values.accuracy[s] = accuracy(logits, targets);
    values.margin[s] = evidence(logits, targets, rivals).to(at::kDouble).mean();
  });
  return values;
}

AdditiveFit additive_fit(const Tensor& value, int64_t players) {
  // Over all subsets the indicators are independent with variance 1/4, so each effect is a difference of two means.
  const Tensor subset = at::arange(value.size(0), at::kLong), from_mean = value - value.mean();
  Tensor fitted = at::zeros_like(value);
  std::vector<Tensor> effects;
  for (int64_t i = 0; i < players; ++i) {
    const Tensor kept = subset.bitwise_right_shift(i).bitwise_and(1).to(at::kDouble) - 0.5;
    effects.push_back((kept * from_mean).mean() * 4);
    fitted += effects.back() * kept;
  }
  const double total = from_mean.square().sum().item<double>();
  const double left = (from_mean - fitted).square().sum().item<double>();
  return {total == 0 ? 1.0 : 1 - left / total, effects.empty() ? at::zeros({0}, at::kDouble) : at::stack(effects)};
}

AblationPictures ablation_pictures(const SubsetValues& values) {
  AblationPictures pictures{additive_fit(values.accuracy, values.players),
                            additive_fit(values.loss.log(), values.players), 0};
  pictures.index = pictures.log_loss.r_squared - pictures.accuracy.r_squared;
  return pictures;
}

Tensor shapley_interactions(const Tensor& value, int64_t players) {
  const Tensor values = value.to(at::kCPU, at::kDouble).contiguous();
  const double* v = values.const_data_ptr<double>();
  Tensor interactions = at::zeros({players, players}, at::kDouble);
  auto entry = interactions.accessor<double, 2>();
  const auto factorial = [](int64_t n) { return std::tgamma(static_cast<double>(n) + 1); };
  std::vector<double> weight;  // by |S|
  for (int64_t size = 0; size + 2 <= players; ++size) {
    weight.push_back(factorial(size) * factorial(players - size - 2) / factorial(players - 1));
  }
  for (int64_t i = 0; i < players; ++i) {
    for (int64_t j = i + 1; j < players; ++j) {
      const size_t bit_i = size_t{1} << i, bit_j = size_t{1} << j;
      double sum = 0;
      for (size_t s = 0; s < size_t{1} << players; ++s) {
        if ((s & (bit_i | bit_j)) != 0) continue;
        sum +=
            weight[static_cast<size_t>(std::popcount(s))] * (v[s | bit_i | bit_j] - v[s | bit_i] - v[s | bit_j] + v[s]);
      }
      entry[i][j] = entry[j][i] = sum;
    }
  }
  return interactions;
}

}  // namespace logodds
