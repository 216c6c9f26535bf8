#pragma once

#include "training/samplers/sampler.h"

namespace logodds {

/// One Langevin step of every chain on the weights of the target's pieces,
///   w += (ε/2) G ∘ (-nβ g + γ (w0 - w)) + √(ε G) ∘ N(0, 1),
/// where g is the gradient of L in `gradient_Rn` and G the preconditioner [R,n], 1 where it is undefined. The noise of
/// weight i of chain r is a function of keys[r], the step and i. Returns ‖w - w0‖² before the step, [R], float64.
Tensor langevin_step(Parameters& chains, const Tensor& gradient_Rn, const Tensor& precondition_Rn, const Target& target,
                     const StepOf& step);

/// ‖to - from - (ε/2) (-nβ g + γ (w0 - from))‖² of each chain over the target's pieces, [R], float64: -2ε times the
/// logarithm of the density of the step from `from`, where the gradient is g, to `to`, up to a constant.
Tensor langevin_misfit(const Tensor& from_Rn, const Tensor& gradient_Rn, const Tensor& to_Rn, const Target& target);

/// ‖w - w0‖² of each chain over the target's pieces, [R], float64.
Tensor squared_distance(const Tensor& weights_Rn, const Target& target);

}  // namespace logodds
