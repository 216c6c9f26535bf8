#pragma once

#include "training/samplers/sampler.h"

namespace logodds {

/// SGLD with a diagonal preconditioner (Li et al. 2016): V = α V + (1-α) (∇L)², G = 1/(√V̂ + δ) with V̂ = V/(1-α^t),
///   w += (ε/2) G ∘ (-nβ ∇L(w) + γ (w0 - w)) + N(0, ε G).
/// G is made during burn-in and held from then on: while it changes with the weights, the stationary density is that of
/// the target only with a correction that nobody computes. Each chain has its own.
class RmspropSgld : public Sampler {
 public:
  struct Options {
    double step_size = 1e-6;
    double decay = 0.99;
    double damping = 0.1;
    void fields(Fields& fields);
  };
  explicit RmspropSgld(const Options& options) : options_(options) {}

  double step_size() const override { return options_.step_size; }
  Draw step(Parameters& chains, Target& target, const StepOf& step) override;
  void check(const Target& target, int64_t burn_in) const override;
  NamedTensors state() const override;
  void restore(const NamedTensors& state) override;

  /// G, [R,n].
  const Tensor& preconditioner() const { return precondition_Rn_; }

 private:
  Options options_;
  Tensor square_Rn_, precondition_Rn_;
};

}  // namespace logodds
