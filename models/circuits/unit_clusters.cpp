#include "models/circuits/unit_clusters.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "core/error.h"
#include "core/log_odds.h"
#include "core/seeds.h"
#include "models/circuits/k_means.h"

namespace logodds {

void UnitClusters::Options::fields(Fields& fields) {
  fields.integer({"clusters", "how many; 0: 2 to 12, as the silhouette says"}, clusters, at_least(0));
  fields.integer({"seed", "of k-means"}, seed, at_least(0));
}

namespace {

constexpr int64_t kMostClusters = 12;

Clusters chosen_clusters(const Tensor& directions_MV, const Tensor& weights_M, const UnitClusters::Options& options) {
  auto generator = stream(options.seed, "unit clusters");
  const int64_t units = directions_MV.size(0);
  if (options.clusters > 0) return k_means(directions_MV, weights_M, std::min(options.clusters, units), generator);
  Clusters best = k_means(directions_MV, weights_M, 1, generator);
  double highest = 0;
  for (int64_t k = 2; k <= std::min(kMostClusters, units); ++k) {
    const Clusters found = k_means(directions_MV, weights_M, k, generator);
    const double score = silhouette(directions_MV, weights_M, found);
    if (score > highest) {
      highest = score;
      best = found;
    }
  }
  return best;
}

/// "3", or "3 and 5" where the second class is favoured at least half as much.
std::string favoured(const Tensor& attribution_V) {
  const auto [value, index] = attribution_V.topk(2);
  const std::string first = std::to_string(index[0].item<int64_t>());
  return 2 * value[1].item<double>() < value[0].item<double>()
             ? first
             : first + " and " + std::to_string(index[1].item<int64_t>());
}

}  // namespace

UnitClusters::UnitClusters(const Options& options, const Observed& observed) : PathCircuits(observed) {
  const LogitPaths paths = observed.model.paths(observed.parameters, observed.inputs_BT);
  const auto& [name, bias, post_BM, W_L] = paths.paths[paths.neurons];
  if (options.clusters > W_L.size(0)) {
    throw Error("'clusters' (" + std::to_string(options.clusters) + ") is more than the " +
                std::to_string(W_L.size(0)) + " units of the last hidden layer");
  }
  add_past_neurons(paths);
  units_.assign(labels().size(), 0);
  const auto add_units = [&](const std::string& label, const Tensor& members) {
    if (members.numel() == 0) return;
    add(label, post_BM.index_select(1, members), W_L.index_select(0, members));
    units_.push_back(members.numel());
  };
  const Tensor attribution_MV = centred(W_L.to(at::kDouble)) * post_BM.mean(0, false, at::kDouble).unsqueeze(1);
  const Tensor length_M = attribution_MV.norm(2, 1), heard = length_M > 1e-12 * length_M.max();
  const Tensor active = heard.nonzero().squeeze(1);
  if (active.numel() > 0) {
    const Tensor weights = length_M.index_select(0, active), vectors = attribution_MV.index_select(0, active);
    const Clusters clusters = chosen_clusters(vectors / weights.unsqueeze(1), weights, options);
    const Tensor size_K = at::zeros({clusters.centre_KD.size(0)}, at::kDouble).to(weights.device());
    const Tensor order = size_K.index_add(0, clusters.member_N, weights).argsort(-1, /*descending=*/true);
    for (int64_t i = 0; i < order.size(0); ++i) {
      const Tensor of_cluster = clusters.member_N.eq(order[i]).nonzero().squeeze(1);
      if (of_cluster.numel() == 0) continue;
      add_units("cluster " + std::to_string(i + 1) + " for " + favoured(vectors.index_select(0, of_cluster).sum(0)),
                active.index_select(0, of_cluster));
    }
  }
  add_units("silent", heard.logical_not().nonzero().squeeze(1));
}

}  // namespace logodds
