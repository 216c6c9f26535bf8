#include "training/optimizers/adamw.h"

#include <ATen/ATen.h>

namespace logodds {

void AdamW::Options::fields(Fields& fields) {
  fields.per_run({"learning_rate", "η"}, learning_rate, at_least(0));
  fields.per_run({"weight_decay", "λ, decoupled"}, weight_decay, at_least(0));
  fields.real({"beta1", "decay of the gradient's mean"}, beta1, {.low = 0, .high = 1, .open_high = true});
  fields.real({"beta2", "decay of the gradient's mean square"}, beta2, {.low = 0, .high = 1, .open_high = true});
  fields.real({"epsilon", "ε"}, epsilon, at_least(0));
}

AdamW::AdamW(const Options& options, const Parameters& parameters)
    : options_(options),
      mean_(at::zeros_like(parameters.flat())),
      square_(at::zeros_like(parameters.flat())),
      updates_(at::zeros({}, parameters.flat().options().dtype(at::kFloat))) {}

void AdamW::step(Parameters& parameters, double factor) {
  updates_.add_(1);
  // The fused operator takes one learning rate and weight decay, so it is called once per run, each time on a
  // contiguous row; it reads the update count it is given and leaves it alone.
  for (int64_t r = 0; r < parameters.runs(); ++r) {
    const auto run = static_cast<size_t>(r);
    const auto row = [r](const Tensor& flat) { return std::vector<Tensor>{flat.select(0, r)}; };
    at::_fused_adamw_(row(parameters.flat()), row(parameters.flat_gradient()), row(mean_), row(square_), {}, {updates_},
                      options_.learning_rate.at(run) * factor, options_.beta1, options_.beta2,
                      options_.weight_decay.at(run), options_.epsilon, /*amsgrad=*/false, /*maximize=*/false);
  }
}

NamedTensors AdamW::state() const { return {{"mean", mean_}, {"square", square_}, {"updates", updates_}}; }

void AdamW::restore(const NamedTensors& state) {
  mean_.copy_(state.at("mean"));
  square_.copy_(state.at("square"));
  updates_.copy_(state.at("updates"));
}

}  // namespace logodds
