#pragma once

#include "training/samplers/sampler.h"

namespace logodds {

/// Metropolis-adjusted Langevin algorithm (Roberts and Tweedie 1996): the SGLD step on the full batch is a proposal w',
/// accepted with probability min(1, π(w') q(w|w') / (π(w) q(w'|w))), so that the stationary density is the target's at
/// every ε. During burn-in each chain moves its ε towards the acceptance `target_acceptance` (0: ε stays); .574 is what
/// is best in many dimensions. A proposal whose energy is not finite is rejected.
class Mala : public Sampler {
 public:
  struct Options {
    double step_size = 1e-5;
    double target_acceptance = 0.574;
    void fields(Fields& fields);
  };
  explicit Mala(const Options& options) : options_(options) {}

  double step_size() const override { return options_.step_size; }
  Draw step(Parameters& chains, Target& target, const StepOf& step) override;
  Tensor energy() const override { return energy_R_; }
  void check(const Target& target, int64_t burn_in) const override;

 private:
  void adapt(Target& target, int64_t step, const Tensor& acceptance_R) const;

  Options options_;
  // Of the weights as they are; made again from the weights after a restart, to the same bits.
  Tensor energy_R_, gradient_Rn_;
};

}  // namespace logodds
