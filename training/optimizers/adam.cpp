#include "training/optimizers/adam.h"

namespace logodds {

void Adam::Options::fields(Fields& fields) {
  fields.per_run({"learning_rate", "η"}, learning_rate, at_least(0));
  fields.per_run({"weight_decay", "λ, added to the gradient as λ w"}, weight_decay, at_least(0));
  fields.per_run({"beta1", "decay of the gradient's mean"}, beta1, {.low = 0, .high = 1, .open_high = true});
  fields.per_run({"beta2", "decay of the gradient's mean square"}, beta2, {.low = 0, .high = 1, .open_high = true});
  fields.per_run({"epsilon", "ε"}, epsilon, at_least(0));
}

Adam::Adam(const Options& options, const Parameters& parameters)
    : decay_({.coefficient = options.weight_decay}, parameters),
      adamw_({.learning_rate = options.learning_rate,
              .weight_decay = 0,
              .beta1 = options.beta1,
              .beta2 = options.beta2,
              .epsilon = options.epsilon},
             parameters) {}

void Adam::step(Parameters& parameters, const Tensor& factor) {
  decay_.change_gradient(parameters);
  adamw_.step(parameters, factor);
}

}  // namespace logodds
