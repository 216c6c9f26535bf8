#include "training/transforms/l23_penalty.h"

#include <ATen/ATen.h>

#include "core/error.h"

namespace logodds {

namespace {
constexpr const char *kIn = "blocks.0.mlp.W_in", *kOut = "unembed.W_U";
}  // namespace

void L23Penalty::Options::fields(Fields& fields) {
  fields.per_run({"coefficient", "λ of λ Σ_j (‖u_j‖² + ‖v_j‖² + ‖w_j‖²)^{3/2}"}, coefficient, at_least(0));
}

L23Penalty::L23Penalty(const Options& options, const Parameters& parameters)
    : coefficient_R1_(per_run(options.coefficient, parameters).to(parameters.flat().scalar_type()).unsqueeze(1)) {
  const auto& specs = parameters.specs();
  if (specs.size() != 2 || specs[0].name != kIn || specs[1].name != kOut) {
    throw Error(
        "it is defined for an mlp with one hidden layer, no biases and no embedding: model: {kind: mlp, embedding: "
        "one_hot, hidden: [M], bias: false}");
  }
}

void L23Penalty::change_gradient(Parameters& parameters) {
  const Tensor in_RIM = parameters[kIn].detach(), out_RMV = parameters[kOut].detach();
  const Tensor norm_RM = (in_RIM.square().sum(1) + out_RMV.square().sum(2)).sqrt();
  const Tensor factor_RM = 3 * coefficient_R1_ * norm_RM;
  parameters.gradient(kIn).addcmul_(in_RIM, factor_RM.unsqueeze(1));
  parameters.gradient(kOut).addcmul_(out_RMV, factor_RM.unsqueeze(2));
}

}  // namespace logodds
