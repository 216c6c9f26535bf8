#include "training/optimizers/muon.h"

#include <ATen/ATen.h>

#include <cmath>

namespace logodds {

void Muon::Options::fields(Fields& fields) {
  fields.per_run({"learning_rate", "η of the matrices"}, learning_rate, at_least(0));
  fields.per_run({"weight_decay", "λ of the matrices, decoupled"}, weight_decay, at_least(0));
  fields.per_run({"momentum", "μ"}, momentum, {.low = 0, .high = 1, .open_high = true});
  fields.flag({"nesterov", "look ahead by one gradient"}, nesterov);
  fields.section({"adamw", "of all other weights"}, [this](Fields& inside) { adamw.fields(inside); });
}

namespace {

bool is_matrix(const ParameterSpec& spec) {
  const auto begins = [&](const char* part) { return spec.name.starts_with(part); };
  return spec.shape.size() >= 2 && !begins("embed.") && !begins("pos_embed.") && !begins("unembed.");
}

std::vector<size_t> numbers(const Parameters& parameters, bool matrices) {
  std::vector<size_t> list;
  for (size_t i = 0; i < parameters.specs().size(); ++i) {
    if (is_matrix(parameters.specs()[i]) == matrices) list.push_back(i);
  }
  return list;
}

Parameters copies(const Parameters& parameters, const std::vector<size_t>& which) {
  std::vector<ParameterSpec> specs;
  for (const size_t i : which) specs.push_back(parameters.specs()[i]);
  return {specs, parameters.runs(), parameters.flat().options()};
}

/// A tensor [R,…] as a stack of matrices [N,m,n].
Tensor stacked(const Tensor& tensor) {
  if (tensor.dim() == 5) return tensor.reshape({tensor.size(0), tensor.size(1), -1});
  return tensor.reshape({-1, tensor.size(-2), tensor.size(-1)});
}

}  // namespace

Tensor orthogonalised(const Tensor& matrices_Nmn) {
  constexpr double a = 3.4445, b = -4.775, c = 2.0315;
  const bool tall = matrices_Nmn.size(1) > matrices_Nmn.size(2);
  Tensor x = tall ? matrices_Nmn.transpose(1, 2) : matrices_Nmn;
  x = x / x.norm(2, {1, 2}, /*keepdim=*/true).clamp_min(1e-7);
  for (int step = 0; step < 5; ++step) {
    const Tensor gram = x.bmm(x.transpose(1, 2));
    x = at::baddbmm(x, at::baddbmm(gram, gram, gram, b, c), x, a);
  }
  return tall ? x.transpose(1, 2) : x;
}

Muon::Muon(const Options& options, const Parameters& parameters)
    : options_(options),
      learning_rate_R_(per_run(options.learning_rate, parameters)),
      decay_R_(per_run(options.weight_decay, parameters)),
      momentum_R_(per_run(options.momentum, parameters)),
      matrices_(numbers(parameters, true)),
      others_(numbers(parameters, false)),
      rest_(copies(parameters, others_)),
      adamw_(options.adamw, rest_) {
  for (const size_t i : matrices_) means_.push_back(at::zeros_like(parameters.views()[i]));
}

void Muon::step(Parameters& parameters, const Tensor& factor) {
  for (size_t i = 0; i < matrices_.size(); ++i) step_matrix(i, parameters, factor);
  for (size_t i = 0; i < others_.size(); ++i) {
    rest_.views()[i].copy_(parameters.views()[others_[i]]);
    rest_.gradients()[i].copy_(parameters.gradients()[others_[i]]);
  }
  if (!others_.empty()) adamw_.step(rest_, factor);
  for (size_t i = 0; i < others_.size(); ++i) parameters.views()[others_[i]].copy_(rest_.views()[i]);
}

void Muon::step_matrix(size_t i, Parameters& parameters, const Tensor& factor) {
  const Tensor weights = parameters.views()[matrices_[i]].detach(), &gradient = parameters.gradients()[matrices_[i]];
  std::vector<int64_t> column(static_cast<size_t>(weights.dim()), 1);
  column[0] = weights.size(0);
  const auto spread = [&](const Tensor& values_R) { return values_R.view(column).to(weights.scalar_type()); };
  means_[i].lerp_(gradient, spread(1 - momentum_R_));
  const Tensor update = options_.nesterov ? gradient.lerp(means_[i], spread(momentum_R_)) : means_[i];
  const bool convolution = weights.dim() == 5;
  const Tensor stack = stacked(update);
  const auto outputs = static_cast<double>(stack.size(convolution ? 1 : 2));
  const auto inputs = static_cast<double>(stack.size(convolution ? 2 : 1));
  const Tensor rate_R = learning_rate_R_ * factor;
  weights.mul_(spread(1 - rate_R * decay_R_));
  weights.addcmul_(orthogonalised(stack).reshape(weights.sizes()),
                   spread(rate_R * std::sqrt(std::max(1.0, outputs / inputs))), -1);
}

namespace {
std::string momentum_name(size_t i) { return "momentum." + std::to_string(i); }
}  // namespace

NamedTensors Muon::state() const {
  NamedTensors all;
  for (const auto& [name, tensor] : adamw_.state()) all["adamw." + name] = tensor;
  for (size_t i = 0; i < means_.size(); ++i) all[momentum_name(i)] = means_[i];
  return all;
}

void Muon::restore(const NamedTensors& state) {
  NamedTensors adamw;
  for (const auto& [name, tensor] : adamw_.state()) adamw[name] = state.at("adamw." + name);
  adamw_.restore(adamw);
  for (size_t i = 0; i < means_.size(); ++i) means_[i].copy_(state.at(momentum_name(i)));
}

}  // namespace logodds
