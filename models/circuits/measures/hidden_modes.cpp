#include "models/circuits/measures/hidden_modes.h"

#include <ATen/ATen.h>

namespace logodds {

Tensor without_hidden_modes(const GroupModes& modes, const std::vector<int64_t>& parts, const Observed& observed,
                            const Tensor& targets_B) {
  const LogitPaths paths = observed.model.paths(observed.parameters, observed.inputs_BT);
  const LogitPath& neurons = paths.paths[paths.neurons];
  const int64_t V = observed.logits_BV.size(1);
  const Tensor sum_VM =
      at::zeros({V, neurons.source.size(1)}, neurons.source.options()).index_add(0, targets_B, neurons.source);
  const Tensor count_V = at::bincount(targets_B, {}, V).clamp_min(1);
  const Tensor said_VV = at::mm(modes.project(sum_VM / count_V.unsqueeze(1), parts), neurons.map_IV);
  return observed.logits_BV - said_VV.index_select(0, targets_B);
}

}  // namespace logodds
