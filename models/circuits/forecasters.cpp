#include "models/circuits/forecasters.h"

#include <ATen/ATen.h>

#include "core/error.h"
#include "models/forecaster_ensemble.h"

namespace logodds {

ForecasterCircuits::ForecasterCircuits(const Options&, const Observed& observed) : PathCircuits(observed) {
  const auto* ensemble = dynamic_cast<const ForecasterEnsemble*>(&observed.model);
  if (ensemble == nullptr) throw Error("only the model 'forecaster_ensemble' has a network per feature");
  const LogitPaths paths = ensemble->paths(observed.parameters, observed.inputs_BT);
  const LogitPath& all = paths.paths.front();
  const int64_t units = all.map_IV.size(0) / ensemble->features();
  for (int64_t i = 0; i < ensemble->features(); ++i) {
    add("feature " + std::to_string(i + 1), all.source.narrow(1, i * units, units),
        all.map_IV.narrow(0, i * units, units));
  }
  for (const auto& path : paths.paths) {
    if (path.bias) add(path.label, path.source, path.map_IV);
  }
}

}  // namespace logodds
