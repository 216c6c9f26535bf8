#include "training/samplers/rmsprop_sgld.h"

#include <ATen/ATen.h>

#include <cmath>

#include "core/error.h"
#include "training/samplers/langevin.h"

namespace logodds {

void RmspropSgld::Options::fields(Fields& fields) {
  fields.real({"step_size", "ε"}, step_size, above(0));
  fields.real({"decay", "α, of the gradient's mean square"}, decay, {.low = 0, .high = 1, .open_high = true});
  fields.real({"damping", "δ, added to the root of the mean square"}, damping, above(0));
}

void RmspropSgld::check(const Target&, int64_t burn_in) const {
  if (burn_in == 0) throw Error("rmsprop_sgld makes its preconditioner during burn-in: 'burn_in' must be at least 1");
}

Draw RmspropSgld::step(Parameters& chains, Target& target, const StepOf& step) {
  const Tensor energy = target.energy(chains, step.number);
  const Tensor& gradient = chains.flat_gradient();
  if (!square_Rn_.defined()) square_Rn_ = at::zeros_like(gradient);
  if (step.burn_in) {
    square_Rn_.mul_(options_.decay).addcmul_(gradient, gradient, 1 - options_.decay);
    const double unbiased = 1 - std::pow(options_.decay, static_cast<double>(step.number + 1));
    precondition_Rn_ = square_Rn_.div(unbiased).sqrt_().add_(options_.damping).reciprocal_();
  }
  const Tensor distance = langevin_step(chains, gradient, precondition_Rn_, target, step).sqrt_();
  return {energy, distance, at::ones_like(energy)};
}

NamedTensors RmspropSgld::state() const {
  if (!square_Rn_.defined()) return {};
  return {{"square", square_Rn_}, {"precondition", precondition_Rn_}};
}

void RmspropSgld::restore(const NamedTensors& state) {
  if (state.empty()) return;
  square_Rn_ = state.at("square").clone();
  precondition_Rn_ = state.at("precondition").clone();
}

}  // namespace logodds
