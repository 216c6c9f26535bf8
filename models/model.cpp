#include "models/model.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "core/error.h"
#include "models/ops/tile_step.h"

namespace logodds {

LogitPaths Model::paths(const Parameters&, const Tensor&) const {
  throw Error("this model does not say by which paths its logits are made");
}

void trace_in_batches(const Model& model, const Parameters& one, const Tensor& inputs_BT,
                      const std::function<void(const std::string&, const Tensor&)>& visit) {
  const at::NoGradGuard no_grad;
  for (const Tensor& inputs : inputs_BT.split(2048)) {
    model.trace(one, inputs.unsqueeze(0), [&](const std::string& name, const Tensor& activation) {
      visit(name, activation[0]);
      return activation;
    });
  }
}

Tensor Model::untraced(const Parameters& parameters, const Tensor& inputs_RBT) const {
  return trace(parameters, inputs_RBT, untapped);
}

std::optional<Folded> Model::fold(const Parameters&, const Inputs&, bool) const { return std::nullopt; }

Tensor Model::logits(const Parameters& parameters, const Tensor& inputs_RBT) const {
  const at::NoGradGuard no_grad;
  const auto folded = fold(parameters, inputs_RBT, /*gauge=*/false);
  if (!folded) {
    std::vector<Tensor> batches;  // so that memory stays small
    for (const Tensor& inputs : inputs_RBT.split(2048, 1)) {
      batches.push_back(untraced(parameters, inputs));
    }
    return batches.size() == 1 ? batches[0] : at::cat(batches, 1);
  }
  return tile_step_takes(*folded) ? tile_logits(*folded, inputs_RBT) : logits_of(*folded, inputs_RBT);
}

Tensor class_logits(const Tensor& x, bool single_logit) { return single_logit ? at::cat({-0.5 * x, 0.5 * x}, -1) : x; }

Tensor class_logits_gradient(const Tensor& gradient, bool single_logit) {
  return single_logit ? 0.5 * (gradient.narrow(-1, 1, 1) - gradient.narrow(-1, 0, 1)) : gradient;
}

Tensor relative_to_last(const Tensor& x, bool gauge) {
  const int64_t last = x.size(-1) - 1;
  return gauge ? x.narrow(-1, 0, last) - x.narrow(-1, last, 1) : x;
}

Tensor relative_to_last_gradient(const Tensor& gradient, bool gauge) {
  return gauge ? at::cat({gradient, -gradient.sum(-1, /*keepdim=*/true)}, -1) : gradient;
}

}  // namespace logodds
