#pragma once

#include "training/samplers/sampler.h"

namespace logodds {

/// Stochastic gradient Langevin dynamics (Welling and Teh 2011), localised around w0 (Lau et al. 2023):
///   w += (ε/2) (-nβ ∇L(w) + γ (w0 - w)) + N(0, ε),
/// without rejections, so that the stationary density is off by O(ε): in a direction of curvature a = nβ h + γ its
/// variance is 1/(a (1 - εa/4)) instead of 1/a, and from εa = 4 on the chain diverges.
class Sgld : public Sampler {
 public:
  struct Options {
    double step_size = 1e-5;
    void fields(Fields& fields);
  };
  explicit Sgld(const Options& options) : options_(options) {}

  double step_size() const override { return options_.step_size; }
  Draw step(Parameters& chains, Target& target, const StepOf& step) override;

 private:
  Options options_;
};

}  // namespace logodds
