#pragma once

#include <ATen/ATen.h>

#include "training/samplers/learning_coefficient.h"
#include "training/samplers/mala.h"
#include "training/samplers/sgld.h"

namespace logodds {

/// Chains on a function of d numbers that are no network: value and gradient of points [R,d].
struct Toy {
  struct Value {
    Tensor energy_R, gradient_Rd;
  };
  int64_t dimensions;
  std::function<Value(const Tensor& w_Rd)> at;
  double start = 0;  ///< of every number; the centre is 0 all the same

  Parameters chains(int64_t count) const {
    Parameters chains({{"w", {dimensions}}}, count, at::kDouble);
    chains["w"].fill_(start);
    return chains;
  }
  Energy energy() const {
    return [*this](Parameters& chains, int64_t) {
      const Value value = at(chains["w"]);
      chains.gradient("w").copy_(value.gradient_Rd);
      return value.energy_R;
    };
  }
  Target target(int64_t count, double nbeta, double localisation) const {
    const auto each = [&](double value) { return std::vector<double>(static_cast<size_t>(count), value); };
    return {.energy = energy(),
            .full_batch = true,
            .centre_n = at::zeros({chains(1).flat().size(1)}, at::kDouble),
            .pieces = {{0, dimensions}},
            .nbeta = each(nbeta),
            .localisation = each(localisation),
            .step_size = {}};
  }
};

struct Plan {
  double nbeta, localisation;
  int64_t chains = 64, burn_in = 500, draws = 2000, between = 1;
  int64_t seed = 1;
};

/// Chains that ran, and what they say where the least energy is 0.
inline Chains sampled(const Toy& toy, std::unique_ptr<Sampler> sampler, const Plan& plan) {
  Chains chains(toy.chains(plan.chains), toy.target(plan.chains, plan.nbeta, plan.localisation), std::move(sampler),
                plan.burn_in, plan.seed);
  chains.run_to(plan.burn_in + plan.draws * plan.between);
  return chains;
}
inline LearningCoefficient estimated(const Toy& toy, std::unique_ptr<Sampler> sampler, const Plan& plan) {
  return learning_coefficient(sampled(toy, std::move(sampler), plan).trace(), plan.burn_in, plan.between, plan.nbeta,
                              0);
}

inline std::unique_ptr<Sampler> sgld(double step_size) {
  return std::make_unique<Sgld>(Sgld::Options{.step_size = step_size});
}
/// With ε as it is, or moved during burn-in.
inline std::unique_ptr<Sampler> mala(double step_size, double target_acceptance = 0) {
  return std::make_unique<Mala>(Mala::Options{.step_size = step_size, .target_acceptance = target_acceptance});
}

/// L = ½ Σ h_i w_i².
inline Toy quadratic(const std::vector<double>& curvatures) {
  const Tensor h = at::tensor(curvatures, at::kDouble);
  return {static_cast<int64_t>(curvatures.size()), [h](const Tensor& w) {
            return Toy::Value{0.5 * (h * w.square()).sum(1), h * w};
          }};
}

}  // namespace logodds
