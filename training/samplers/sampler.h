#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "core/component.h"
#include "core/safetensors.h"
#include "models/parameters.h"

namespace logodds {

/// The energy that is sampled: puts the gradient of each chain's L into `chains.flat_gradient()` and returns L [R],
/// float64, +∞ where the weights are not allowed. `step` picks the mini-batch, where there is one.
using Energy = std::function<Tensor(Parameters& chains, int64_t step)>;

/// A piece of the flat buffer of one chain: elements [begin, end).
struct Piece {
  int64_t begin, end;
};

/// What R chains sample: chain r has the density ∝ exp(-nβ_r L(w) - (γ_r/2) ‖w - w0‖²) over the weights of `pieces`;
/// the other weights keep their values. Step sizes belong to the temperatures, so they stand here, too.
struct Target {
  Energy energy;
  bool full_batch = true;  ///< L is the same function at every step
  Tensor centre_n;         ///< w0, a flat buffer of one chain
  std::vector<Piece> pieces;
  std::vector<double> nbeta;         ///< nβ of each chain
  std::vector<double> localisation;  ///< γ of each chain
  std::vector<double> step_size;     ///< ε of each chain
};

/// What is known of each chain's weights before a step moved them: [R], float64.
struct Draw {
  Tensor energy_R;    ///< L
  Tensor distance_R;  ///< ‖w - w0‖ over the weights that are sampled
  Tensor accepted_R;  ///< 1 where the step's proposal was accepted, 0 where not
};

/// One step of a chain's noise is a function of the chain's key and the step's number: nothing is stored for it.
struct StepOf {
  int64_t number;
  bool burn_in;  ///< samplers adapt themselves only here
  const std::vector<uint64_t>& keys;
};

/// Moves all chains at once. Chains do not know of each other.
class Sampler {
 public:
  virtual ~Sampler() = default;

  /// ε to begin with.
  virtual double step_size() const = 0;

  /// Moves every chain and tells what was known of its weights before; may change the target's step sizes in burn-in.
  virtual Draw step(Parameters& chains, Target& target, const StepOf& step) = 0;

  /// L [R] of the weights as the last step left them; undefined where the sampler does not know it.
  virtual Tensor energy() const { return {}; }

  /// Refuses a target that it cannot sample, with an Error.
  virtual void check(const Target&, int64_t /*burn_in*/) const {}

  /// What the next steps depend on besides weights and target.
  virtual NamedTensors state() const { return {}; }
  virtual void restore(const NamedTensors&) {}
};

/// The samplers by name; they need nothing but their options.
const Catalogue& samplers();

}  // namespace logodds
