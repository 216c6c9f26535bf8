#include "training/optimizers/sgd.h"

#include <ATen/ATen.h>

namespace logodds {

void Sgd::Options::fields(Fields& fields) {
  fields.per_run({"learning_rate", "η"}, learning_rate, at_least(0));
  fields.per_run({"weight_decay", "λ, added to the gradient as λ w"}, weight_decay, at_least(0));
  fields.per_run({"momentum", "μ"}, momentum, {.low = 0, .high = 1, .open_high = true});
}

Sgd::Sgd(const Options& options, const Parameters& parameters)
    : options_(options),
      momentum_R1_(per_run(options.momentum, parameters).to(parameters.flat().scalar_type()).unsqueeze(1)),
      learning_rate_R1_(per_run(options.learning_rate, parameters).unsqueeze(1)),
      decay_R1_(per_run(options.weight_decay, parameters).to(parameters.flat().scalar_type()).unsqueeze(1)),
      velocity_(at::zeros_like(parameters.flat())) {}

void Sgd::step(Parameters& parameters, const Tensor& factor) {
  velocity_.mul_(momentum_R1_).add_(parameters.flat_gradient()).addcmul_(parameters.flat(), decay_R1_);
  parameters.flat().addcmul_(velocity_, (learning_rate_R1_ * factor).to(velocity_.scalar_type()), -1);
}

}  // namespace logodds
