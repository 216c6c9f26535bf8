#include "models/forecaster_ensemble.h"

#include <ATen/ATen.h>

#include <cmath>

#include "core/error.h"
#include "models/activation.h"

namespace logodds {

void ForecasterEnsemble::Options::fields(Fields& fields) {
  fields.integers({"hidden", "widths of the hidden layers of each feature's network; none: linear"}, hidden,
                  at_least(1));
  fields.choice({"activation", "of the hidden layers"}, activation, activation_names());
  fields.flag({"bias", "biases in the hidden layers, and one of the sum"}, bias);
  fields.per_run({"init_scale", "factor on all initial weights"}, init_scale, at_least(0));
}

ForecasterEnsemble::ForecasterEnsemble(const Options& options, const InputShape& shape)
    : options_(options), shape_(shape) {
  if (!shape.features()) throw Error("this task has tokens, not features; use 'mlp' or 'transformer'");
}

namespace {
std::string layer_name(size_t layer, const char* name) { return "blocks." + std::to_string(layer) + ".mlp." + name; }

/// x [R,K,B,I] through each feature's own W [R,K,I,O].
Tensor linear_per_feature(const Tensor& x, const Tensor& W) {
  return at::bmm(x.flatten(0, 1), W.flatten(0, 1)).view({x.size(0), x.size(1), x.size(2), W.size(3)});
}
}  // namespace

std::vector<ParameterSpec> ForecasterEnsemble::specs() const {
  std::vector<ParameterSpec> specs;
  int64_t width = shape_.width;
  const auto std = [&] { return 1 / std::sqrt(static_cast<double>(width)); };
  for (size_t layer = 0; layer < options_.hidden.size(); ++layer) {
    const int64_t units = options_.hidden[layer];
    specs.push_back({layer_name(layer, "W_in"), {features(), width, units}, std()});
    if (options_.bias) specs.push_back({layer_name(layer, "b_in"), {features(), units}});
    width = units;
  }
  specs.push_back({"unembed.W_U", {features(), width, shape_.outputs()}, std()});
  if (options_.bias) specs.push_back({"unembed.b_U", {shape_.outputs()}});
  return specs;
}

Tensor ForecasterEnsemble::trace(const Parameters& parameters, const Tensor& inputs, const Tap& tap) const {
  const int64_t R = inputs.size(0), B = inputs.size(1);
  // Activations are shown as [R,B,K,…], and computed with the samples inside.
  const auto shown = [&](const std::string& name, const Tensor& x) {
    return tap(name, x.transpose(1, 2)).transpose(1, 2);
  };
  Tensor x = tap("hook_embed", inputs.view({R, B, features(), shape_.width})).transpose(1, 2).contiguous();
  for (size_t layer = 0; layer < options_.hidden.size(); ++layer) {
    x = linear_per_feature(x, parameters[layer_name(layer, "W_in")]);
    if (options_.bias) x = x + parameters[layer_name(layer, "b_in")].unsqueeze(2);
    x = shown(layer_name(layer, "hook_post"), activate(options_.activation, shown(layer_name(layer, "hook_pre"), x)));
  }
  const Tensor each = linear_per_feature(x, parameters["unembed.W_U"]);
  const Tensor logits = shown("forecasters.hook_logits", class_logits(each, shape_.single_logit));
  const Tensor sum = logits.sum(1);
  return options_.bias ? sum + class_logits(parameters["unembed.b_U"], shape_.single_logit).unsqueeze(1) : sum;
}

LogitPaths ForecasterEnsemble::paths(const Parameters& one, const Tensor& inputs) const {
  const size_t layers = options_.hidden.size();
  const std::string pre_name = layers == 0 ? "hook_embed" : layer_name(layers - 1, "hook_pre"),
                    post_name = layers == 0 ? "hook_embed" : layer_name(layers - 1, "hook_post");
  std::vector<Tensor> pre, post;
  trace_in_batches(*this, one, inputs, [&](const std::string& name, const Tensor& x) {
    if (name == pre_name) pre.push_back(x.flatten(1));
    if (name == post_name) post.push_back(x.flatten(1));
  });
  const auto columns = [&](const char* name) { return class_logits(one[name].detach(), shape_.single_logit)[0]; };
  const Tensor W_U = columns("unembed.W_U").flatten(0, 1);
  LogitPaths result{.paths = {{"forecasters", false, at::cat(post), W_U}}, .neurons = 0, .pre_BM = at::cat(pre)};
  if (options_.bias)
    result.paths.push_back({"bias", true, at::ones({1, 1}, W_U.options()), columns("unembed.b_U").unsqueeze(0)});
  return result;
}

}  // namespace logodds
