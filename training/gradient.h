#pragma once

#include "models/model.h"
#include "training/loss.h"
#include "training/spent.h"

namespace logodds {

/// Puts the gradient of each run's loss into `parameters.gradients()` and returns the losses [R], float64, of inputs
/// with targets [R,B]. By the tile step (models/ops/tile_step.h) where model, loss and device allow it, else by
/// autograd through the folded network's logits, or through the plain definition (`untraced`): the same gradients up to
/// rounding. `spent` hears of each part.
Tensor loss_gradient(const Model& model, const Loss& loss, Parameters& parameters, const Inputs& inputs,
                     const Tensor& targets_RB, const Spent& spent = {});

/// The same by autograd through `untraced`, for every model and loss.
Tensor trace_gradient(const Model& model, const Loss& loss, Parameters& parameters, const Tensor& inputs_RBT,
                      const Tensor& targets_RB, const Spent& spent = {});

}  // namespace logodds
