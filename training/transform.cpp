#include "training/transform.h"

#include <ATen/ATen.h>

namespace logodds {

namespace {
std::string prefix_of(const std::string& name) { return "transforms." + name + "."; }
}  // namespace

void TransformedOptimizer::step(Parameters& parameters, const Tensor& factor) {
  for (auto& [name, transform] : transforms_) transform->change_gradient(parameters);
  optimizer_->step(parameters, factor);
  for (auto& [name, transform] : transforms_) transform->change_weights(parameters);
}

NamedTensors TransformedOptimizer::state() const {
  NamedTensors all = optimizer_->state();
  for (const auto& [name, transform] : transforms_) {
    for (const auto& [key, tensor] : transform->state()) all[prefix_of(name) + key] = tensor;
  }
  return all;
}

void TransformedOptimizer::restore(const NamedTensors& state) {
  optimizer_->restore(state);  // it takes its own by name
  for (auto& [name, transform] : transforms_) {
    NamedTensors own;
    for (const auto& [key, tensor] : state) {
      if (key.starts_with(prefix_of(name))) own[key.substr(prefix_of(name).size())] = tensor;
    }
    transform->restore(own);
  }
}

std::vector<Block> blocks(const Parameters& parameters, const std::string& scope) {
  if (scope == "global") return {{parameters.flat(), parameters.flat_gradient()}};
  std::vector<Block> list;
  const auto by_run = [&](const Tensor& view) { return view.detach().reshape({parameters.runs(), -1}); };
  for (size_t i = 0; i < parameters.views().size(); ++i) {
    list.push_back({by_run(parameters.views()[i]), by_run(parameters.gradients()[i])});
  }
  return list;
}

Tensor dot_per_run(const Tensor& a_Rn, const Tensor& b_Rn) {
  return (a_Rn.to(at::kDouble) * b_Rn.to(at::kDouble)).sum(1, /*keepdim=*/true);
}

}  // namespace logodds
