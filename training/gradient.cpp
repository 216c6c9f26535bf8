#include "training/gradient.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>

namespace logodds {

namespace {

/// Gradients of the weights by autograd through the per-sample part of a folded network; returns the losses [R]. Where
/// that makes one logit less than there are classes, the last class's is 0.
Tensor by_logits(Folded& folded, const Loss& loss, Parameters& parameters, const Tensor& inputs, const Tensor& targets,
                 int64_t classes, const Spent& spent) {
  const at::AutoGradMode grad(true);
  folded.change_tensors([](Tensor& tensor) { tensor = tensor.detach().requires_grad_(true); });
  const Tensor logits = logits_of(folded, inputs);
  const int64_t columns = logits.size(2);
  note(spent, "logits");
  const Loss::Value value = loss.with_gradient(at::constant_pad_nd(logits.detach(), {0, classes - columns}), targets);
  note(spent, "loss");
  const auto gradients = torch::autograd::grad({logits}, folded.tensors(), {value.gradient_RBV.narrow(2, 0, columns)});
  note(spent, "backward");
  const at::NoGradGuard no_grad;
  folded.pull_back(gradients, parameters);
  note(spent, "backward of the fold");
  return value.loss_R;
}

}  // namespace

Tensor trace_gradient(const Model& model, const Loss& loss, Parameters& parameters, const Tensor& inputs_RBT,
                      const Tensor& targets_RB, const Spent& spent) {
  const at::AutoGradMode grad(true);
  parameters.set_requires_grad(true);
  const Tensor logits =
      model.trace(parameters, inputs_RBT, [](const std::string&, const Tensor& activation) { return activation; });
  note(spent, "logits");
  const Loss::Value value = loss.with_gradient(logits.detach(), targets_RB);
  note(spent, "loss");
  const auto gradients = torch::autograd::grad({logits}, parameters.views(), {value.gradient_RBV});
  parameters.set_requires_grad(false);
  for (size_t i = 0; i < gradients.size(); ++i) parameters.gradients()[i].copy_(gradients[i]);
  note(spent, "backward");
  return value.loss_R;
}

Tensor loss_gradient(const Model& model, const Loss& loss, Parameters& parameters, const Tensor& inputs_RBT,
                     const Tensor& targets_RB, const Spent& spent) {
  const at::NoGradGuard no_grad;
  const auto rows = loss.rows(model.classes(), 1 / static_cast<double>(targets_RB.size(1)));
  auto folded = model.fold(parameters, inputs_RBT, /*gauge=*/rows && rows->ignores_constant);
  if (!folded) return trace_gradient(model, loss, parameters, inputs_RBT, targets_RB, spent);
  if (!rows || !tile_step_takes(*folded)) {
    note(spent, "fold");
    return by_logits(*folded, loss, parameters, inputs_RBT, targets_RB, model.classes(), spent);
  }
  note(spent, "fold");
  const TileGradients result = tile_gradients(*folded, inputs_RBT, targets_RB, model.classes(), *rows);
  note(spent, "tile step");
  folded->pull_back(result.gradients, parameters);
  note(spent, "backward of the fold");
  return result.losses_RB.mean(1);
}

}  // namespace logodds
