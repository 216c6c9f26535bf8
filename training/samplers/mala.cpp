#include "training/samplers/mala.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "training/samplers/langevin.h"
#include "training/samplers/philox_kernel.h"

namespace logodds {

void Mala::Options::fields(Fields& fields) {
  fields.real({"step_size", "ε, to begin with"}, step_size, above(0));
  fields.real({"target_acceptance", "burn-in moves ε towards it; 0: ε stays"}, target_acceptance,
              {.low = 0, .high = 1, .open_high = true});
}

void Mala::check(const Target& target, int64_t) const {
  if (!target.full_batch) throw Error("mala accepts and rejects on all examples: 'batch_size' must be 0");
}

namespace {

Tensor per_chain(const std::vector<double>& values) { return at::tensor(values, at::kDouble); }

}  // namespace

void Mala::adapt(Target& target, int64_t step, const Tensor& acceptance_R) const {
  const double rate = std::pow(static_cast<double>(step + 1), -0.6);
  for (size_t r = 0; r < target.step_size.size(); ++r) {
    target.step_size[r] *= std::exp(rate * (acceptance_R.const_data_ptr<double>()[r] - options_.target_acceptance));
  }
}

Draw Mala::step(Parameters& chains, Target& target, const StepOf& step) {
  const Tensor& flat = chains.flat();
  if (!energy_R_.defined()) {
    energy_R_ = target.energy(chains, step.number);
    gradient_Rn_ = chains.flat_gradient().clone();
  }
  const Tensor before = flat.clone(), energy = energy_R_;
  const Tensor distance = langevin_step(chains, gradient_Rn_, {}, target, step);
  const Tensor proposed = target.energy(chains, step.number);

  const Tensor nbeta = per_chain(target.nbeta), gamma = per_chain(target.localisation),
               epsilon = per_chain(target.step_size);
  const Tensor forward = langevin_misfit(before, gradient_Rn_, flat, target),
               back = langevin_misfit(flat, chains.flat_gradient(), before, target);
  const Tensor log_ratio = nbeta * (energy - proposed) + 0.5 * gamma * (distance - squared_distance(flat, target)) +
                           (forward - back) / (2 * epsilon);
  const Tensor acceptance = at::where(log_ratio.isfinite(), log_ratio, -INFINITY).exp().clamp_max(1);
  const Tensor accepted = at::zeros_like(energy);
  for (int64_t r = 0; r < flat.size(0); ++r) {
    const double u = uniform_number(step.keys[static_cast<size_t>(r)], static_cast<uint64_t>(step.number));
    const bool accept = u < acceptance.const_data_ptr<double>()[r];
    accepted.mutable_data_ptr<double>()[r] = accept ? 1 : 0;
    accept ? gradient_Rn_[r].copy_(chains.flat_gradient()[r]) : flat[r].copy_(before[r]);
  }
  energy_R_ = at::where(accepted > 0, proposed, energy);
  if (step.burn_in && options_.target_acceptance > 0) adapt(target, step.number, acceptance);
  return {energy, distance.sqrt(), accepted};
}

}  // namespace logodds
