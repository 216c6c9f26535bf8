#pragma once

#include <string>
#include <vector>

#include "models/circuits/circuits.h"
#include "training/world.h"

namespace logodds {

/// An estimate of log-odds against the exact ones, over examples and classes: R² = 1 - Σ(exact - estimate)² / Σ exact²,
/// and the slope Σ exact·estimate / Σ exact², below 1 where the estimate is too timid. NaN where the exact ones are 0.
struct Agreement {
  std::string label;
  double r_squared;
  double slope;
};

/// What a network learnt, held against what is known.
struct Learnt {
  Agreement sum;                    ///< the logits against the posterior
  std::vector<Agreement> features;  ///< each shown feature's part against that feature's own log-odds
};

/// `parts` are the circuits "feature i" of logits [N,V] on inputs [N,F], or null where the model has none. Parts are
/// known up to constants only, which can move from one to another: each side's mean over the examples is taken away
/// first.
Learnt learnt(const World& world, const Tensor& inputs_NF, const Tensor& logits_NV, const Circuits* parts);

}  // namespace logodds
