#pragma once

#include "models/circuits/path_circuits.h"

namespace logodds {

/// Every unit of the last hidden layer by itself: f = b + f_direct + Σ_j h_j W_L[j,·]. Parts "unit 0", "unit 1", …,
/// and, where the model has them, "direct" (what bypasses that layer) and "bias".
class Units : public PathCircuits {
 public:
  struct Options {
    void fields(Fields&) {}
  };
  Units(const Options& options, const Observed& observed);
};

}  // namespace logodds
