#pragma once

#include "models/circuits/path_circuits.h"

namespace logodds {

/// What each feature's own network says: the parts f_i of a forecaster_ensemble, "feature 1" … "feature K", and "bias".
/// Complete: the logits are their sum by definition.
class ForecasterCircuits : public PathCircuits {
 public:
  struct Options {
    void fields(Fields&) {}
  };
  /// Throws Error for another model.
  ForecasterCircuits(const Options& options, const Observed& observed);
};

}  // namespace logodds
