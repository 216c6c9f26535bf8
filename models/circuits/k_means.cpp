#include "models/circuits/k_means.h"

#include <ATen/ATen.h>

#include <limits>

namespace logodds {

namespace {

constexpr int kStarts = 10, kMostRounds = 300;

Tensor squared_distances(const Tensor& points_ND, const Tensor& centres_KD) {
  return at::cdist(points_ND, centres_KD, 2, /*compute_mode=*/2).square();  // 2: exact differences, no products
}

/// k-means++ (Arthur and Vassilvitskii 2007): each next centre is a point drawn by its weighted squared distance to the
/// centres so far.
Tensor first_centres(const Tensor& points_ND, const Tensor& weights_N, int64_t k, at::Generator& generator) {
  Tensor centres = points_ND.index_select(0, at::multinomial(weights_N, 1, false, generator));
  while (centres.size(0) < k) {
    Tensor odds = std::get<0>(squared_distances(points_ND, centres).min(1)) * weights_N;
    if (odds.sum().item<double>() == 0) odds = weights_N;  // fewer distinct points than centres
    centres = at::cat({centres, points_ND.index_select(0, at::multinomial(odds, 1, false, generator))});
  }
  return centres;
}

Clusters improved(const Tensor& points_ND, const Tensor& weights_N, Tensor centres_KD) {
  const int64_t k = centres_KD.size(0);
  Clusters clusters{{}, centres_KD, 0};
  for (int round = 0; round < kMostRounds; ++round) {
    const auto [distance, member] = squared_distances(points_ND, clusters.centre_KD).min(1);
    clusters.spread = (distance * weights_N).sum().item<double>();
    if (clusters.member_N.defined() && member.equal(clusters.member_N)) break;
    clusters.member_N = member;
    const Tensor weight_NK = at::one_hot(member, k).to(points_ND.scalar_type()) * weights_N.unsqueeze(1);
    const Tensor total_K = weight_NK.sum(0).unsqueeze(1);
    const Tensor means = at::mm(weight_NK.t(), points_ND) / total_K.clamp_min(1e-300);
    clusters.centre_KD = at::where(total_K > 0, means, clusters.centre_KD);  // an empty cluster stays where it was
  }
  return clusters;
}

}  // namespace

Clusters k_means(const Tensor& points_ND, const Tensor& weights_N, int64_t k, at::Generator& generator) {
  Clusters best{{}, {}, std::numeric_limits<double>::infinity()};
  for (int start = 0; start < kStarts; ++start) {
    const Clusters found = improved(points_ND, weights_N, first_centres(points_ND, weights_N, k, generator));
    if (found.spread < best.spread) best = found;
  }
  return best;
}

double silhouette(const Tensor& points_ND, const Tensor& weights_N, const Clusters& clusters) {
  const int64_t k = clusters.centre_KD.size(0);
  const Tensor member_NK = at::one_hot(clusters.member_N, k).to(points_ND.scalar_type()), size_K = member_NK.sum(0);
  const Tensor distance_NN = at::cdist(points_ND, points_ND, 2, 2);
  const Tensor sums_NK = at::mm(distance_NN, member_NK), own = clusters.member_N.unsqueeze(1);
  const Tensor own_size = size_K.index_select(0, clusters.member_N);
  const Tensor within = sums_NK.gather(1, own).squeeze(1) / (own_size - 1).clamp_min(1);
  const Tensor means = (sums_NK / size_K.clamp_min(1)).masked_fill(size_K.eq(0).unsqueeze(0), INFINITY);
  const Tensor nearest = std::get<0>(means.scatter(1, own, INFINITY).min(1));
  const Tensor score = (nearest - within) / at::maximum(nearest, within).clamp_min(1e-300);
  const Tensor alone = own_size.le(1).logical_or(nearest.isinf());
  return ((score.masked_fill(alone, 0) * weights_N).sum() / weights_N.sum()).item<double>();
}

}  // namespace logodds
