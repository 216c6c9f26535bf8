#include "training/samplers/sgld.h"

#include <ATen/ATen.h>

#include "training/samplers/langevin.h"

namespace logodds {

void Sgld::Options::fields(Fields& fields) { fields.real({"step_size", "ε"}, step_size, above(0)); }

Draw Sgld::step(Parameters& chains, Target& target, const StepOf& step) {
  const Tensor energy = target.energy(chains, step.number);
  const Tensor distance = langevin_step(chains, chains.flat_gradient(), {}, target, step).sqrt_();
  return {energy, distance, at::ones_like(energy)};
}

}  // namespace logodds
