#include "training/gradient.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <functional>
#include <vector>

#include "models/ops/together.h"

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
  const Tensor logits = model.untraced(parameters, inputs_RBT);
  note(spent, "logits");
  const Loss::Value value = loss.with_gradient(logits.detach(), targets_RB);
  note(spent, "loss");
  const auto gradients = torch::autograd::grad({logits}, parameters.views(), {value.gradient_RBV});
  parameters.set_requires_grad(false);
  for (size_t i = 0; i < gradients.size(); ++i) parameters.gradients()[i].copy_(gradients[i]);
  note(spent, "backward");
  return value.loss_R;
}

namespace {

/// Of a pack that fits the caches, or of one on a GPU.
Tensor gradient_at_once(const Model& model, const Loss& loss, Parameters& parameters, const Inputs& inputs,
                        const Tensor& targets_RB, const Spent& spent) {
  const at::NoGradGuard no_grad;
  const auto rows = loss.rows(model.classes(), 1 / static_cast<double>(targets_RB.size(1)));
  auto folded = model.fold(parameters, inputs, /*gauge=*/rows && rows->ignores_constant);
  if (!folded) return trace_gradient(model, loss, parameters, inputs.tensor(), targets_RB, spent);
  if (!rows || !tile_step_takes(*folded)) {
    note(spent, "fold");
    return by_logits(*folded, loss, parameters, inputs.tensor(), targets_RB, model.classes(), spent);
  }
  note(spent, "fold");
  const TileGradients result = tile_gradients(*folded, inputs, targets_RB, model.classes(), *rows);
  note(spent, "tile step");
  folded->pull_back(result.gradients, parameters);
  note(spent, "backward of the fold");
  return result.losses_RB.mean(1);
}

/// How many runs a thread computes at once: as fit its cache together, with tables and gradients, which are several
/// times the weights.
int64_t runs_at_once(const Parameters& parameters) {
  constexpr int64_t kBytes = 1 << 19;  // of weights
  const auto run_bytes = static_cast<int64_t>(parameters.flat().nbytes()) / parameters.runs();
  return std::max<int64_t>(1, kBytes / std::max<int64_t>(run_bytes, 1));
}

}  // namespace

Tensor loss_gradient(const Model& model, const Loss& loss, Parameters& parameters, const Inputs& inputs,
                     const Tensor& targets_RB, const Spent& spent) {
  const int64_t runs = parameters.runs(), threads = free_threads();
  const int64_t parts = parameters.flat().is_cpu() ? runs / runs_at_once(parameters) : 1;
  if (parts <= threads) return gradient_at_once(model, loss, parameters, inputs, targets_RB, spent);
  // More than the caches hold: a thread takes the runs of one part from beginning to end, then the next.
  const Tensor losses_R = at::empty({runs}, at::kDouble);
  std::vector<std::function<void()>> pieces;
  for (int64_t i = 0; i < parts; ++i) {
    const int64_t first = runs * i / parts, count = runs * (i + 1) / parts - first;
    pieces.emplace_back([&, first, count] {
      Parameters part = parameters.part(first, count);
      losses_R.narrow(0, first, count)
          .copy_(gradient_at_once(model, loss, part, inputs.of_runs(first, count), targets_RB.narrow(0, first, count),
                                  /*spent=*/{}));
    });
  }
  together(losses_R, pieces);
  note(spent, "gradients");
  return losses_R;
}

}  // namespace logodds
