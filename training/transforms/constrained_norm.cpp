#include "training/transforms/constrained_norm.h"

#include <ATen/ATen.h>

namespace logodds {

void ConstrainedNorm::Options::fields(Fields& fields) {
  fields.choice({"scope", "the norm of each tensor, or of all weights as one vector"}, scope, scopes());
}

namespace {
Tensor length(const Tensor& weights_Rn) { return dot_per_run(weights_Rn, weights_Rn).sqrt(); }
}  // namespace

ConstrainedNorm::ConstrainedNorm(const Options& options, const Parameters& parameters) : options_(options) {
  std::vector<Tensor> norms;
  for (const auto& block : blocks(parameters, options.scope)) norms.push_back(length(block.weights_Rn));
  norms_KR1_ = at::stack(norms);
}

void ConstrainedNorm::change_weights(Parameters& parameters) {
  int64_t k = 0;
  for (const auto& block : blocks(parameters, options_.scope)) {
    const Tensor wanted = norms_KR1_[k++], now = length(block.weights_Rn);
    const Tensor ratio = at::where((wanted > 0).logical_and(now > 0), wanted / now, at::ones_like(now));
    block.weights_Rn.copy_(block.weights_Rn.to(at::kDouble) * ratio);
  }
}

}  // namespace logodds
