#include "models/mlp.h"

#include <ATen/ATen.h>

#include <cmath>

#include "core/error.h"
#include "models/activation.h"
#include "models/ops/batched.h"

namespace logodds {

void Mlp::Options::fields(Fields& fields) {
  fields.choice({"embedding", "token embedding: one table, one per position, or indicators"}, embedding,
                {"shared", "separate", "one_hot"});
  fields.choice({"combine", "how the embedded tokens are joined"}, combine, {"sum", "concatenation"});
  fields.integer({"d_embed", "width of the embedding (unused for one_hot)"}, d_embed, at_least(1));
  fields.integers({"hidden", "widths of the hidden layers, at least one"}, hidden, at_least(1));
  fields.choice({"activation", "of the hidden layers"}, activation, activation_names());
  fields.flag({"bias", "biases in the hidden layers and the unembedding"}, bias);
  fields.per_run({"init_scale", "factor on all initial weights"}, init_scale, at_least(0));
}

Mlp::Mlp(const Options& options, const InputShape& shape) : options_(options), shape_(shape) {
  if (options_.hidden.empty()) throw Error("'hidden' must list at least one width");
}

namespace {
std::string layer_name(size_t layer, const char* name) { return "blocks." + std::to_string(layer) + ".mlp." + name; }
}  // namespace

std::vector<ParameterSpec> Mlp::specs() const {
  const int64_t p = shape_.tokens, t = shape_.positions;
  std::vector<ParameterSpec> specs;
  if (!one_hot()) {
    const double std = 1 / std::sqrt(static_cast<double>(options_.d_embed));
    const bool shared = options_.embedding == "shared";
    const std::vector<int64_t> shape =
        shared ? std::vector<int64_t>{p, options_.d_embed} : std::vector<int64_t>{t, p, options_.d_embed};
    specs.push_back({"embed.W_E", shape, std});
  }
  int64_t width = (one_hot() ? p : options_.d_embed) * (sum() ? 1 : t);
  auto fan_in = static_cast<double>(one_hot() ? t : width);
  for (size_t layer = 0; layer < options_.hidden.size(); ++layer) {
    const int64_t units = options_.hidden[layer];
    specs.push_back({layer_name(layer, "W_in"), {width, units}, 1 / std::sqrt(fan_in)});
    if (options_.bias) specs.push_back({layer_name(layer, "b_in"), {units}});
    width = units;
    fan_in = static_cast<double>(units);
  }
  specs.push_back({"unembed.W_U", {width, shape_.classes}, 1 / std::sqrt(fan_in)});
  if (options_.bias) specs.push_back({"unembed.b_U", {shape_.classes}});
  return specs;
}

Tensor Mlp::layers(const Parameters& parameters, Tensor pre_RBM, const Tap& tap) const {
  const auto bias = [&](const std::string& name) { return options_.bias ? parameters[name] : Tensor(); };
  for (size_t layer = 0;; ++layer) {
    if (layer > 0)
      pre_RBM = linear_per_run(pre_RBM, parameters[layer_name(layer, "W_in")], bias(layer_name(layer, "b_in")));
    pre_RBM = tap(layer_name(layer, "hook_pre"), pre_RBM);
    const Tensor post_RBM = tap(layer_name(layer, "hook_post"), activate(options_.activation, pre_RBM));
    if (layer + 1 == options_.hidden.size())
      return linear_per_run(post_RBM, parameters["unembed.W_U"], bias("unembed.b_U"));
    pre_RBM = post_RBM;
  }
}

Tensor Mlp::trace(const Parameters& parameters, const Tensor& inputs_RBT, const Tap& tap) const {
  const Tensor W_in = parameters[layer_name(0, "W_in")];
  std::vector<Tensor> embedded;
  for (int64_t t = 0; t < shape_.positions; ++t) {
    const Tensor tokens_RB = inputs_RBT.select(2, t);
    if (one_hot()) {
      embedded.push_back(at::one_hot(tokens_RB, shape_.tokens).to(W_in.scalar_type()));
    } else {
      const Tensor W_E = parameters["embed.W_E"];
      embedded.push_back(lookup(options_.embedding == "separate" ? W_E.select(1, t) : W_E, tokens_RB));
    }
  }
  Tensor x = sum() ? at::stack(embedded).sum(0) : at::cat(embedded, -1);
  x = tap("hook_embed", x);
  const Tensor bias = options_.bias ? parameters[layer_name(0, "b_in")] : Tensor();
  return layers(parameters, linear_per_run(x, W_in, bias), tap);
}

Tensor Mlp::logits(const Parameters& parameters, const Tensor& inputs_RBT) const {
  const Tensor W_in = parameters[layer_name(0, "W_in")];
  const int64_t block = W_in.size(1) / (sum() ? 1 : shape_.positions);  // rows of W_in that one position meets
  Tensor pre_RBM, shared_table;
  for (int64_t t = 0; t < shape_.positions; ++t) {
    const Tensor rows = sum() ? W_in : W_in.narrow(1, t * block, block);
    Tensor table = rows;
    if (!one_hot()) {
      const Tensor W_E = parameters["embed.W_E"];
      const bool reuse = options_.embedding == "shared" && sum();
      if (reuse && !shared_table.defined()) shared_table = at::bmm(W_E, rows);
      table = reuse ? shared_table : at::bmm(options_.embedding == "separate" ? W_E.select(1, t) : W_E, rows);
    }
    const Tensor picked = lookup(table, inputs_RBT.select(2, t));
    pre_RBM = pre_RBM.defined() ? pre_RBM + picked : picked;
  }
  if (options_.bias) pre_RBM = pre_RBM + parameters[layer_name(0, "b_in")].unsqueeze(1);
  return layers(parameters, pre_RBM, [](const std::string&, const Tensor& activation) { return activation; });
}

}  // namespace logodds
