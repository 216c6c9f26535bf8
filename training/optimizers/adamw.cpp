#include "training/optimizers/adamw.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <cmath>

#include "core/device.h"
#include "training/optimizers/adamw_kernel.h"
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

namespace {
template <class T>
T* data(const Tensor& flat) {
  return flat.mutable_data_ptr<T>();
}
}  // namespace

void AdamW::step(Parameters& parameters, const Tensor& factor) {
  parameters.flat().is_cpu() ? step_by_kernel(parameters, factor.item<double>()) : step_by_loops(parameters, factor);
}

void AdamW::step_by_kernel(Parameters& parameters, double factor) {
  updates_.add_(1);
  const double t = updates_.item<double>();
  const Tensor& flat = parameters.flat();
  const auto update = [&]<class T>(T, size_t run) {
    const double rate = options_.learning_rate.at(run) * factor, beta1 = options_.beta1.at(run),
                 beta2 = options_.beta2.at(run), root = std::sqrt(1 - std::pow(beta2, t));
    const int64_t first = static_cast<int64_t>(run) * flat.size(1);
    const AdamwStep<T> step{.keep = static_cast<T>(1 - rate * options_.weight_decay.at(run)),
                            .step = static_cast<T>(rate * root / (1 - std::pow(beta1, t))),
                            .epsilon = static_cast<T>(options_.epsilon.at(run) * root),
                            .to_mean = static_cast<T>(1 - beta1),
                            .to_square = static_cast<T>(1 - beta2),
                            .gradient = data<T>(parameters.flat_gradient()) + first,
                            .weights = data<T>(flat) + first,
                            .mean = data<T>(mean_) + first,
                            .square = data<T>(square_) + first};
    at::parallel_for(0, flat.size(1), 1 << 14,
                     [&](int64_t begin, int64_t end) { adamw_kernel<T>()(step, begin, end); });
  };
  for (size_t run = 0; run < static_cast<size_t>(parameters.runs()); ++run) {
    flat.scalar_type() == at::kFloat ? update(float{}, run) : update(double{}, run);
  }
}

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
