#include "models/transformer.h"

#include <ATen/ATen.h>

#include <cmath>
#include <limits>
#include <map>

#include "core/error.h"
#include "models/activation.h"
#include "models/ops/batched.h"
#include "models/transformer_fold.h"

namespace logodds {

void Transformer::Options::fields(Fields& fields) {
  fields.integer({"layers", "number of blocks"}, layers, between(1, 64));
  fields.integer({"d_model", "width of the residual stream"}, d_model, at_least(1));
  fields.integer({"heads", "attention heads per block; divides d_model"}, heads, at_least(1));
  fields.integer({"d_mlp", "hidden units of each block's MLP"}, d_mlp, at_least(1));
  fields.choice({"activation", "of the MLPs"}, activation, activation_names());
  fields.choice({"biases", "of the MLPs only, or of attention and unembedding too"}, biases, {"mlp", "all"});
  fields.flag({"causal", "a position sees itself and earlier ones only"}, causal);
  fields.flag({"equals_token", "read the answer at a third token '='; else at the second operand"}, equals_token);
  fields.real({"attention_mix", "attention is α·softmax + (1-α)·1"}, attention_mix, between(0, 1));
  fields.per_run({"init_scale", "factor on all initial weights"}, init_scale, at_least(0));
}

Transformer::Transformer(const Options& options, const InputShape& shape) : options_(options), shape_(shape) {
  if (shape.features()) throw Error("a transformer reads tokens, and the task's inputs are numbers; 'mlp' reads them");
  if (shape.single_logit) throw Error("a transformer makes a logit per class: use the loss 'cross_entropy'");
  if (options_.d_model % options_.heads != 0) {
    throw Error("'d_model' (" + std::to_string(options_.d_model) + ") must be a multiple of 'heads' (" +
                std::to_string(options_.heads) + ")");
  }
}

namespace {
std::string block_name(int64_t layer) { return "blocks." + std::to_string(layer) + "."; }

/// The last `count` positions of [R,B,T,…].
Tensor last_positions(const Tensor& x, int64_t count) { return x.narrow(2, x.size(2) - count, count); }
}  // namespace

std::vector<ParameterSpec> Transformer::specs() const {
  const int64_t D = options_.d_model, H = options_.heads, K = d_head(), M = options_.d_mlp, V = shape_.classes;
  const double std = 1 / std::sqrt(static_cast<double>(D));
  std::vector<ParameterSpec> specs{{"embed.W_E", {shape_.tokens + (options_.equals_token ? 1 : 0), D}, std},
                                   {"pos_embed.W_pos", {positions(), D}, std}};
  for (int64_t layer = 0; layer < options_.layers; ++layer) {
    const std::string block = block_name(layer);
    for (const char* name : {"attn.W_Q", "attn.W_K", "attn.W_V"}) specs.push_back({block + name, {H, D, K}, std});
    specs.push_back({block + "attn.W_O", {H, K, D}, std});
    if (all_biases()) {
      for (const char* name : {"attn.b_Q", "attn.b_K", "attn.b_V"}) specs.push_back({block + name, {H, K}});
      specs.push_back({block + "attn.b_O", {D}});
    }
    specs.push_back({block + "mlp.W_in", {D, M}, std});
    specs.push_back({block + "mlp.b_in", {M}});
    specs.push_back({block + "mlp.W_out", {M, D}, std});
    specs.push_back({block + "mlp.b_out", {D}});
  }
  specs.push_back({"unembed.W_U", {D, V}, 1 / std::sqrt(static_cast<double>(V))});
  if (all_biases()) specs.push_back({"unembed.b_U", {V}});
  return specs;
}

Tensor Transformer::attention(const Parameters& parameters, const std::string& block, const Tensor& x_RBTD,
                              int64_t read, const Tap& tap) const {
  const auto project = [&](const Tensor& x, const char* name, const char* bias, const char* hook) {
    Tensor x_RBTHK = at::einsum("rbtd,rhdk->rbthk", {x, parameters[block + name]});
    if (all_biases()) x_RBTHK = x_RBTHK + parameters[block + bias].unsqueeze(1).unsqueeze(1);
    return tap(block + hook, x_RBTHK);
  };
  const Tensor q = project(last_positions(x_RBTD, read), "attn.W_Q", "attn.b_Q", "attn.hook_q");
  const Tensor k = project(x_RBTD, "attn.W_K", "attn.b_K", "attn.hook_k");
  const Tensor v = project(x_RBTD, "attn.W_V", "attn.b_V", "attn.hook_v");
  Tensor scores = at::einsum("rbqhk,rbshk->rbhqs", {q, k}) / std::sqrt(static_cast<double>(d_head()));
  Tensor visible = at::ones({positions(), positions()}, scores.options().dtype(at::kBool));
  if (options_.causal) visible = visible.tril();
  visible = visible.narrow(0, positions() - read, read);
  scores = tap(block + "attn.hook_attn_scores",
               scores.masked_fill(visible.logical_not(), -std::numeric_limits<double>::infinity()));
  Tensor pattern = scores.softmax(-1);
  if (options_.attention_mix != 1) {
    pattern = options_.attention_mix * pattern + (1 - options_.attention_mix) * visible.to(pattern.scalar_type());
  }
  pattern = tap(block + "attn.hook_pattern", pattern);
  const Tensor z = tap(block + "attn.hook_z", at::einsum("rbhqs,rbshk->rbqhk", {pattern, v}));
  Tensor out = at::einsum("rbthk,rhkd->rbtd", {z, parameters[block + "attn.W_O"]});
  if (all_biases()) out = out + parameters[block + "attn.b_O"].unsqueeze(1).unsqueeze(1);
  return tap(block + "hook_attn_out", out);
}

Tensor Transformer::trace(const Parameters& parameters, const Tensor& inputs_RBT, const Tap& tap) const {
  return logits_reading(positions(), parameters, inputs_RBT, tap);
}

Tensor Transformer::untraced(const Parameters& parameters, const Tensor& inputs_RBT) const {
  return logits_reading(1, parameters, inputs_RBT, untapped);
}

Tensor Transformer::logits_reading(int64_t read, const Parameters& parameters, const Tensor& inputs_RBT,
                                   const Tap& tap) const {
  Tensor tokens = inputs_RBT;
  if (options_.equals_token) {
    tokens = at::cat({tokens, at::full_like(tokens.narrow(2, 0, 1), shape_.tokens)}, 2);
  }
  const int64_t R = tokens.size(0), B = tokens.size(1), T = positions(), D = options_.d_model;
  const Tensor embedded =
      tap("hook_embed", lookup(parameters["embed.W_E"], tokens.reshape({R, B * T})).view({R, B, T, D}));
  const Tensor position = tap("hook_pos_embed", parameters["pos_embed.W_pos"].unsqueeze(1).expand({R, B, T, D}));
  Tensor x = embedded + position;
  for (int64_t layer = 0; layer < options_.layers; ++layer) {
    const std::string block = block_name(layer);
    x = tap(block + "hook_resid_pre", x);
    const int64_t rows = layer + 1 < options_.layers ? T : read;
    x = tap(block + "hook_resid_mid", last_positions(x, rows) + attention(parameters, block, x, rows, tap));
    const Tensor pre =
        tap(block + "mlp.hook_pre", linear_per_run(x, parameters[block + "mlp.W_in"], parameters[block + "mlp.b_in"]));
    const Tensor post = tap(block + "mlp.hook_post", activate(options_.activation, pre));
    const Tensor out = tap(block + "hook_mlp_out",
                           linear_per_run(post, parameters[block + "mlp.W_out"], parameters[block + "mlp.b_out"]));
    x = tap(block + "hook_resid_post", x + out);
  }
  return linear_per_run(x.select(2, x.size(2) - 1), parameters["unembed.W_U"],
                        all_biases() ? parameters["unembed.b_U"] : Tensor());
}

LogitPaths Transformer::paths(const Parameters& one, const Tensor& inputs_BT) const {
  const int64_t last = positions() - 1;
  std::map<std::string, std::vector<Tensor>> seen;  // at the last position, by name
  trace_in_batches(*this, one, inputs_BT, [&](const std::string& name, const Tensor& x) {
    if (name.ends_with("attn.hook_z") || name.ends_with("mlp.hook_pre") || name.ends_with("mlp.hook_post")) {
      seen[name].push_back(x.select(1, last).clone());
    }
  });
  const auto weight = [&](const std::string& name) { return one[name][0].detach(); };
  const Tensor W_U = weight("unembed.W_U"), W_E = weight("embed.W_E");
  const Tensor embed =
      options_.equals_token ? W_E.narrow(0, shape_.tokens, 1) : W_E.index_select(0, inputs_BT.select(1, last));
  LogitPaths result{
      .paths = {{"embed", false, embed, W_U}, {"pos_embed", false, weight("pos_embed.W_pos").narrow(0, last, 1), W_U}},
      .neurons = 0,
      .pre_BM = {}};
  for (int64_t layer = 0; layer < options_.layers; ++layer) {
    const std::string block = block_name(layer), mlp = std::to_string(layer) + "_mlp_out";
    const Tensor z_BHK = at::cat(seen[block + "attn.hook_z"]), W_O = weight(block + "attn.W_O");
    for (int64_t head = 0; head < options_.heads; ++head) {
      result.paths.push_back({"L" + std::to_string(layer) + "H" + std::to_string(head), false, z_BHK.select(1, head),
                              at::mm(W_O[head], W_U)});
    }
    if (all_biases()) result.paths.push_back({"bias", true, weight(block + "attn.b_O").unsqueeze(0), W_U});
    result.paths.push_back({mlp, true, weight(block + "mlp.b_out").unsqueeze(0), W_U});
    result.neurons = result.paths.size();
    result.pre_BM = at::cat(seen[block + "mlp.hook_pre"]);
    result.paths.push_back(
        {mlp, false, at::cat(seen[block + "mlp.hook_post"]), at::mm(weight(block + "mlp.W_out"), W_U)});
  }
  if (all_biases()) {
    const Tensor one_input = at::ones({1, 1}, W_U.options());
    result.paths.push_back({"bias", true, one_input, weight("unembed.b_U").unsqueeze(0)});
  }
  return result;
}

std::optional<Folded> Transformer::fold(const Parameters& parameters, const Inputs& inputs, bool gauge) const {
  if (options_.layers != 1 || all_biases()) return std::nullopt;
  // Tables of all tokens, and their gradients, cost more than few samples save.
  if (inputs.tensor().is_cpu() && 3 * inputs.samples() < 2 * shape_.tokens) return std::nullopt;
  return fold_transformer({.tokens = shape_.tokens,
                           .heads = options_.heads,
                           .equals = options_.equals_token,
                           .alpha = options_.attention_mix,
                           .gauge = gauge,
                           .activation = options_.activation},
                          parameters, inputs.tensor());
}

}  // namespace logodds
