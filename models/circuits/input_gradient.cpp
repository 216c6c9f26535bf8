#include "models/circuits/input_gradient.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>

#include "core/error.h"
#include "models/circuits/feature_groups.h"

namespace logodds {

void InputGradient::Options::fields(Fields& fields) {
  fields.integer({"rows", "of patches; features that are no image are cut into rows × columns runs"}, rows,
                 at_least(1));
  fields.integer({"columns", "of patches"}, columns, at_least(1));
}

namespace {

/// Names of bias vectors begin with "b_" after their last dot.
bool is_bias(const std::string& name) { return name.compare(name.rfind('.') + 1, 2, "b_") == 0; }

/// Σ_i x_i ∂f_c/∂x_i over each group's features, [G,B,V].
Tensor by_group(const Tensor& logits_BV, const Tensor& x_BF, const Tensor& mask_GF) {
  std::vector<Tensor> classes;
  for (const Tensor& logit_B : logits_BV.unbind(1)) {
    const auto gradient = torch::autograd::grad({logit_B.sum()}, {x_BF}, {}, /*retain_graph=*/true);
    classes.push_back(at::mm(mask_GF, (gradient[0] * x_BF.detach()).t()));
  }
  return at::stack(classes, -1);
}

/// Σ_l b_l ∂f_c/∂b_l of every sample, [B,V]. The gradient for weights v_bc on the logits is linear in v, and the
/// derivative of its product with b with respect to v is what is wanted: one pass for all samples and classes.
Tensor by_bias(const Tensor& logits_BV, const std::vector<Tensor>& biases) {
  if (biases.empty()) return at::zeros_like(logits_BV);
  const Tensor v = at::zeros_like(logits_BV).requires_grad_(true);
  const auto gradients = torch::autograd::grad({logits_BV}, biases, {v}, /*retain_graph=*/true, /*create_graph=*/true);
  Tensor product = at::zeros({}, logits_BV.options());
  for (size_t i = 0; i < biases.size(); ++i) product = product + (gradients[i] * biases[i].detach()).sum();
  return torch::autograd::grad({product}, {v}, {}, /*retain_graph=*/true)[0];
}

}  // namespace

InputGradient::InputGradient(const Options& options, const Observed& observed) {
  if (!observed.inputs_BT.is_floating_point()) throw Error("the inputs are tokens, and tokens have no gradient");
  const at::AutoGradMode grad(true);
  Parameters one = observed.parameters.select(0);
  one.set_requires_grad(true);
  std::vector<Tensor> biases;
  for (const auto& spec : one.specs()) {
    if (is_bias(spec.name)) biases.push_back(one[spec.name]);
  }
  auto [labels, mask_GF] =
      feature_groups(observed.model.image(), observed.inputs_BT.size(1), options.rows, options.columns);
  labels.emplace_back("bias");
  mask_GF = mask_GF.to(observed.inputs_BT.options());
  std::vector<Tensor> batches;
  for (const Tensor& inputs : observed.inputs_BT.split(1024)) {
    const Tensor x = inputs.detach().clone().requires_grad_(true);
    const Tensor logits = observed.model.untraced(one, x.unsqueeze(0))[0];
    batches.push_back(at::cat({by_group(logits, x, mask_GF), by_bias(logits, biases).unsqueeze(0)}).detach());
  }
  store(std::move(labels), at::cat(batches, 1));
  const double allowed = observed.logits_BV.scalar_type() == at::kDouble ? 1e-9 : 1e-3;
  if (completeness_error(*this, observed.logits_BV) > allowed) {
    throw Error("the network is not linear inside its activation regions, which input times gradient needs; take relu");
  }
}

}  // namespace logodds
