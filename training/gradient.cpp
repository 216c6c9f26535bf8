#include "training/gradient.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>

namespace logodds {

namespace {

/// Gradients of the weights from those of `outputs`, functions of them.
void backpropagate(Parameters& parameters, const std::vector<Tensor>& outputs, const std::vector<Tensor>& gradients) {
  const auto weights = torch::autograd::grad(outputs, parameters.views(), gradients);
  const at::NoGradGuard no_grad;
  for (size_t i = 0; i < weights.size(); ++i) parameters.gradients()[i].copy_(weights[i]);
}

}  // namespace

Tensor loss_gradient(const Model& model, const Loss& loss, Parameters& parameters, const Tensor& inputs_RBT,
                     const Tensor& targets_RB) {
  const at::AutoGradMode grad(true);
  if (const auto rows = loss.rows(model.classes(), 1 / static_cast<double>(targets_RB.size(1)))) {
    const auto folded = model.fold(parameters, inputs_RBT, /*gauge=*/true);
    if (folded && tile_step_takes(*folded)) {
      const auto result = tile_gradients(*folded, inputs_RBT, targets_RB, model.classes(), *rows);
      backpropagate(parameters, folded->tensors(), result.gradients);
      return result.losses_RB.mean(1);
    }
  }
  const Tensor logits_RBV = model.logits(parameters, inputs_RBT);
  const Loss::Value value = loss.with_gradient(logits_RBV.detach(), targets_RB);
  backpropagate(parameters, {logits_RBV}, {value.gradient_RBV});
  return value.loss_R;
}

}  // namespace logodds
