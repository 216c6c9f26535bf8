#include "models/circuits/residual_paths.h"

#include <ATen/ATen.h>

#include "core/error.h"

namespace logodds {

ResidualPaths::ResidualPaths(const Options&, const Observed& observed) : PathCircuits(observed) {
  const LogitPaths paths = observed.model.paths(observed.parameters, observed.inputs_BT);
  if (paths.paths.front().label != "embed") {
    throw Error(
        "the model has no residual stream, so there are no paths beside its last hidden layer; "
        "take neuron_clusters, svd or output_frequency");
  }
  for (const auto& path : paths.paths) add(path.label, path.source, path.map_IV);
}

}  // namespace logodds
