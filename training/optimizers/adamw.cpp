#include "training/optimizers/adamw.h"

#include <ATen/ATen.h>

#include "core/device.h"
#include "training/optimizers/adamw_loops.h"

namespace logodds {

void AdamW::Options::fields(Fields& fields) {
  fields.per_run({"learning_rate", "η"}, learning_rate, at_least(0));
  fields.per_run({"weight_decay", "λ, decoupled"}, weight_decay, at_least(0));
  fields.per_run({"beta1", "decay of the gradient's mean"}, beta1, {.low = 0, .high = 1, .open_high = true});
  fields.per_run({"beta2", "decay of the gradient's mean square"}, beta2, {.low = 0, .high = 1, .open_high = true});
  fields.per_run({"epsilon", "ε"}, epsilon, at_least(0));
}

AdamW::AdamW(const Options& options, const Parameters& parameters)
    : options_(options),
      learning_rate_R_(per_run(options.learning_rate, parameters)),
      decay_R_(per_run(options.weight_decay, parameters)),
      beta1_R_(per_run(options.beta1, parameters)),
      beta2_R_(per_run(options.beta2, parameters)),
      epsilon_R_(per_run(options.epsilon, parameters)),
      mean_(at::zeros_like(parameters.flat())),
      square_(at::zeros_like(parameters.flat())),
      updates_(at::zeros({}, parameters.flat().options().dtype(at::kFloat))) {}

void AdamW::step(Parameters& parameters, const Tensor& factor) {
  parameters.flat().is_cpu() ? step_by_libtorch(parameters, factor.item<double>()) : step_by_loops(parameters, factor);
}

void AdamW::step_by_libtorch(Parameters& parameters, double factor) {
  updates_.add_(1);
  // The fused operator takes one learning rate and weight decay, so it is called once per run, each time on a
  // contiguous row; it reads the update count it is given and leaves it alone.
  for (int64_t r = 0; r < parameters.runs(); ++r) {
    const auto run = static_cast<size_t>(r);
    const auto row = [r](const Tensor& flat) { return std::vector<Tensor>{flat.select(0, r)}; };
    at::_fused_adamw_(row(parameters.flat()), row(parameters.flat_gradient()), row(mean_), row(square_), {}, {updates_},
                      options_.learning_rate.at(run) * factor, options_.beta1.at(run), options_.beta2.at(run),
                      options_.weight_decay.at(run), options_.epsilon.at(run), /*amsgrad=*/false, /*maximize=*/false);
  }
}

namespace {
template <class T>
T* data(const Tensor& flat) {
  return flat.mutable_data_ptr<T>();
}
}  // namespace

void AdamW::step_by_loops(Parameters& parameters, const Tensor& factor) {
  updates_.add_(1);
  const Tensor& flat = parameters.flat();
  const auto update = [&]<class T>(T) {
    run(AdamwUpdate<T>{.size = flat.size(1),
                       .beta1 = data<double>(beta1_R_),
                       .beta2 = data<double>(beta2_R_),
                       .epsilon = data<double>(epsilon_R_),
                       .learning_rate = data<double>(learning_rate_R_),
                       .weight_decay = data<double>(decay_R_),
                       .factor = data<double>(factor),
                       .updates = data<float>(updates_),
                       .gradient = data<T>(parameters.flat_gradient()),
                       .weights = data<T>(flat),
                       .mean = data<T>(mean_),
                       .square = data<T>(square_)},
        parameters.runs(), place_of(flat));
  };
  flat.scalar_type() == at::kFloat ? update(float{}) : update(double{});
}

NamedTensors AdamW::state() const { return {{"mean", mean_}, {"square", square_}, {"updates", updates_}}; }

void AdamW::restore(const NamedTensors& state) {
  mean_.copy_(state.at("mean"));
  square_.copy_(state.at("square"));
  updates_.copy_(state.at("updates"));
}

}  // namespace logodds
