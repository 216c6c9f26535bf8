#include "models/circuits/units.h"

#include <ATen/ATen.h>

namespace logodds {

Units::Units(const Options&, const Observed& observed) : PathCircuits(observed) {
  const LogitPaths paths = observed.model.paths(observed.parameters, observed.inputs_BT);
  add_past_neurons(paths);
  const auto& neurons = paths.paths[paths.neurons];
  for (int64_t j = 0; j < neurons.map_IV.size(0); ++j) {
    add("unit " + std::to_string(j), neurons.source.narrow(1, j, 1), neurons.map_IV.narrow(0, j, 1));
  }
}

}  // namespace logodds
