#include "models/circuits/neuron_clusters.h"

#include <ATen/ATen.h>

#include "core/error.h"
#include "models/circuits/grid.h"
#include "models/groups/group.h"

namespace logodds {

void NeuronClusters::Options::fields(Fields& fields) {
  fields.real({"threshold", "a neuron belongs to the frequency that explains this share of its variance"}, threshold,
              between(0, 1));
}

NeuronClusters::NeuronClusters(const Options& options, const Observed& observed) : PathCircuits(observed) {
  const int64_t p = grid_modulus(observed.inputs_BT);
  if (p == 0 || (observed.group != nullptr && !observed.group->is_addition())) {
    throw Error("neurons have frequencies on all pairs (a, b) of Z_p, and the inputs of this task are others");
  }
  const LogitPaths paths = observed.model.paths(observed.parameters, observed.inputs_BT);
  add_past_neurons(paths);
  neurons_.assign(static_cast<size_t>(size()), 0);
  const auto& [label, bias, post_BM, W_L] = paths.paths[paths.neurons];
  const auto [frequency, share, shares] = grid_frequencies(post_BM, p);
  const Tensor cluster = frequency.masked_fill(share < options.threshold, 0);
  for (int64_t k = 1; k <= p / 2 + 1; ++k) {
    const bool assigned = k <= p / 2;
    const Tensor members = cluster.eq(assigned ? k : 0).nonzero().squeeze(1);
    if (members.numel() == 0) continue;
    add(assigned ? "κ=" + std::to_string(k) : "unassigned", post_BM.index_select(1, members),
        W_L.index_select(0, members));
    neurons_.push_back(members.numel());
  }
}

}  // namespace logodds
