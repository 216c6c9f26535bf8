#include "training/transforms/grokfast.h"

#include <ATen/ATen.h>

namespace logodds {

void Grokfast::Options::fields(Fields& fields) {
  fields.choice({"filter", "exponential moving average, or mean of a window"}, filter, {"ema", "ma"});
  fields.per_run({"amplification", "λ, what the slow part is multiplied by"}, amplification, at_least(0));
  fields.per_run({"decay", "α of ema"}, decay, {.low = 0, .high = 1, .open_high = true});
  fields.integer({"window_steps", "gradients in the mean of ma"}, window_steps, at_least(1));
}

Grokfast::Grokfast(const Options& options, const Parameters& parameters)
    : options_(options), steps_(at::zeros({1}, parameters.flat().options().dtype(at::kLong))) {
  const Tensor& gradient = parameters.flat_gradient();
  const auto column = [&](const PerRun<double>& values) {
    return per_run(values, parameters).to(gradient.scalar_type()).unsqueeze(1);
  };
  amplification_R1_ = column(options.amplification);
  decay_R1_ = column(options.decay);
  slow_ = ema() ? at::zeros_like(gradient)
                : at::zeros({options.window_steps, gradient.size(0), gradient.size(1)}, gradient.options());
}

void Grokfast::change_gradient(Parameters& parameters) {
  const Tensor& gradient = parameters.flat_gradient();
  if (ema()) {
    const Tensor decay = decay_R1_ * (steps_ > 0);  // 0 at the first step
    slow_.mul_(decay).addcmul_(gradient, 1 - decay);
    steps_.add_(1);
    gradient.addcmul_(amplification_R1_, slow_);
  } else {
    slow_.index_copy_(0, steps_.remainder(options_.window_steps), gradient.unsqueeze(0));
    steps_.add_(1);
    gradient.addcmul_(amplification_R1_ * (steps_ >= options_.window_steps), slow_.mean(0));
  }
}

void Grokfast::restore(const NamedTensors& state) {
  slow_.copy_(state.at("slow"));
  steps_.copy_(state.at("steps"));
}

}  // namespace logodds
