#include "training/optimizers/sgd.h"

#include <ATen/ATen.h>

namespace logodds {

void Sgd::Options::fields(Fields& fields) {
  fields.per_run({"learning_rate", "η"}, learning_rate, at_least(0));
  fields.per_run({"weight_decay", "λ, added to the gradient as λ w"}, weight_decay, at_least(0));
  fields.real({"momentum", "μ"}, momentum, {.low = 0, .high = 1, .open_high = true});
}

namespace {
/// One value per run as a column [R,1] in the weights' type.
Tensor column(const PerRun<double>& values, const Tensor& flat) {
  return at::tensor(values.all(static_cast<size_t>(flat.size(0))), at::kDouble).to(flat.options()).unsqueeze(1);
}
}  // namespace

Sgd::Sgd(const Options& options, const Parameters& parameters)
    : momentum_(options.momentum),
      learning_rate_R1_(column(options.learning_rate, parameters.flat())),
      decay_R1_(column(options.weight_decay, parameters.flat())),
      velocity_(at::zeros_like(parameters.flat())) {}

void Sgd::step(Parameters& parameters, double factor) {
  velocity_.mul_(momentum_).add_(parameters.flat_gradient()).addcmul_(parameters.flat(), decay_R1_);
  parameters.flat().addcmul_(velocity_, learning_rate_R1_, -factor);
}

}  // namespace logodds
