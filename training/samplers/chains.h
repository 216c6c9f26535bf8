#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "training/samplers/sampler.h"

namespace logodds {

/// What R chains went through: [R,S] of S steps, of the weights before each step.
struct Trace {
  Tensor energy_RS, distance_RS, accepted_RS;  ///< float64
  Tensor place_RS;  ///< the chain whose temperature each chain had; itself, until temperatures are exchanged
};

/// R chains on the run axis of one pack, all from the weights that `weights` holds.
class Chains {
 public:
  /// Step sizes that the target leaves empty are the sampler's. Chain r's noise is a function of `seed` and r. Throws
  /// Error for a target that the sampler refuses.
  Chains(Parameters weights, Target target, std::unique_ptr<Sampler> sampler, int64_t burn_in, int64_t seed);

  /// After every `every_steps` steps, neighbouring temperatures exchange their chains (parallel tempering, Swendsen and
  /// Wang 1986): the chains are ladders of `temperatures` each, in the order of their numbers; pairs that begin at an
  /// even and at an odd place take turns, and a pair is exchanged with probability min(1, e^{(nβ_i - nβ_j)(L_i -
  /// L_j)}). γ must be the same in a ladder. The temperatures move, the weights stay. Throws Error where the sampler
  /// does not know the energy of the weights as they are.
  void temper(int64_t temperatures, int64_t every_steps);

  /// Moves on to step `step`, counted from the start; false where `interrupted` (asked between steps) ended it before.
  bool run_to(int64_t step, const std::function<bool()>& interrupted = {});

  int64_t step() const { return step_; }
  const Parameters& weights() const { return weights_; }
  const Sampler& sampler() const { return *sampler_; }
  /// ε of each chain.
  const std::vector<double>& step_sizes() const { return target_.step_size; }
  Trace trace() const;

  /// Of the temperatures i and i+1: how many exchanges were tried and how many made.
  struct Exchanges {
    std::vector<int64_t> tried, made;
  };
  const Exchanges& exchanges() const { return exchanges_; }

  /// Everything that later steps depend on, and the trace; `restore` continues bit for bit.
  NamedTensors state() const;
  void restore(const NamedTensors& state);

 private:
  void step_once();
  void exchange();
  void try_exchange(int64_t place, size_t a, size_t b, const double* energies);

  Parameters weights_;
  Target target_;
  std::unique_ptr<Sampler> sampler_;
  int64_t burn_in_;
  std::vector<uint64_t> keys_;
  uint64_t exchange_key_;
  int64_t temperatures_ = 0, exchange_every_steps_ = 0;
  int64_t step_ = 0;
  std::vector<int64_t> place_;  ///< of each chain
  Exchanges exchanges_;
  Trace past_;                                                    ///< from before a restart
  std::vector<Tensor> energies_, distances_, accepted_, places_;  ///< [R] of each step since
};

}  // namespace logodds
