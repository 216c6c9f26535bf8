#include "training/gradient.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>

namespace logodds {

namespace {

/// Gradients of the weights by autograd through `trace`; returns the losses [R].
Tensor by_trace(const Model& model, const Loss& loss, Parameters& parameters, const Tensor& inputs,
                const Tensor& targets) {
  const at::AutoGradMode grad(true);
  parameters.set_requires_grad(true);
  const Tensor logits =
      model.trace(parameters, inputs, [](const std::string&, const Tensor& activation) { return activation; });
  const Loss::Value value = loss.with_gradient(logits.detach(), targets);
  const auto gradients = torch::autograd::grad({logits}, parameters.views(), {value.gradient_RBV});
  parameters.set_requires_grad(false);
  for (size_t i = 0; i < gradients.size(); ++i) parameters.gradients()[i].copy_(gradients[i]);
  return value.loss_R;
}

/// The same by autograd through the per-sample part of a folded network.
Tensor by_logits(Folded& folded, const Loss& loss, Parameters& parameters, const Tensor& inputs,
                 const Tensor& targets) {
  const at::AutoGradMode grad(true);
  folded.change_tensors([](Tensor& tensor) { tensor = tensor.detach().requires_grad_(true); });
  const Tensor logits = logits_of(folded, inputs);
  const Loss::Value value = loss.with_gradient(logits.detach(), targets);
  const auto gradients = torch::autograd::grad({logits}, folded.tensors(), {value.gradient_RBV});
  const at::NoGradGuard no_grad;
  folded.pull_back(gradients, parameters);
  return value.loss_R;
}

}  // namespace

Tensor loss_gradient(const Model& model, const Loss& loss, Parameters& parameters, const Tensor& inputs_RBT,
                     const Tensor& targets_RB) {
  const at::NoGradGuard no_grad;
  const auto rows = loss.rows(model.classes(), 1 / static_cast<double>(targets_RB.size(1)));
  auto folded = model.fold(parameters, inputs_RBT, /*gauge=*/rows.has_value());
  if (!folded) return by_trace(model, loss, parameters, inputs_RBT, targets_RB);
  if (!rows || !tile_step_takes(*folded)) {
    if (rows) folded = model.fold(parameters, inputs_RBT, /*gauge=*/false);
    return by_logits(*folded, loss, parameters, inputs_RBT, targets_RB);
  }
  const TileGradients result = tile_gradients(*folded, inputs_RBT, targets_RB, model.classes(), *rows);
  folded->pull_back(result.gradients, parameters);
  return result.losses_RB.mean(1);
}

}  // namespace logodds
