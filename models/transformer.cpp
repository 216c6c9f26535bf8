#include "models/transformer.h"

#include <ATen/ATen.h>

#include <cmath>
#include <limits>

#include "core/error.h"
#include "models/activation.h"
#include "models/ops/batched.h"
#include "models/ops/row_mix.h"

namespace logodds {

void Transformer::Options::fields(Fields& fields) {
  fields.integer({"layers", "number of blocks"}, layers, between(1, 64));
  fields.integer({"d_model", "width of the residual stream"}, d_model, at_least(1));
  fields.integer({"heads", "attention heads per block; divides d_model"}, heads, at_least(1));
  fields.integer({"d_mlp", "hidden units of each block's MLP"}, d_mlp, at_least(1));
  fields.choice({"activation", "of the MLPs"}, activation, activation_names());
  fields.flag({"causal", "a position sees itself and earlier ones only"}, causal);
  fields.flag({"equals_token", "read the answer at a third token '='; else at the second operand"}, equals_token);
  fields.real({"attention_mix", "attention is α·softmax + (1-α)·1"}, attention_mix, between(0, 1));
  fields.per_run({"init_scale", "factor on all initial weights"}, init_scale, at_least(0));
}

Transformer::Transformer(const Options& options, const InputShape& shape) : options_(options), shape_(shape) {
  if (options_.d_model % options_.heads != 0) {
    throw Error("'d_model' (" + std::to_string(options_.d_model) + ") must be a multiple of 'heads' (" +
                std::to_string(options_.heads) + ")");
  }
}

namespace {
std::string block_name(int64_t layer) { return "blocks." + std::to_string(layer) + "."; }
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
    specs.push_back({block + "mlp.W_in", {D, M}, std});
    specs.push_back({block + "mlp.b_in", {M}});
    specs.push_back({block + "mlp.W_out", {M, D}, std});
    specs.push_back({block + "mlp.b_out", {D}});
  }
  specs.push_back({"unembed.W_U", {D, V}, 1 / std::sqrt(static_cast<double>(V))});
  return specs;
}

Tensor Transformer::attention(const Parameters& parameters, const std::string& block, const Tensor& x_RBTD,
                              const Tap& tap) const {
  const auto project = [&](const char* name, const char* hook) {
    return tap(block + hook, at::einsum("rbtd,rhdk->rbthk", {x_RBTD, parameters[block + name]}));
  };
  const Tensor q = project("attn.W_Q", "attn.hook_q");
  const Tensor k = project("attn.W_K", "attn.hook_k");
  const Tensor v = project("attn.W_V", "attn.hook_v");
  Tensor scores = at::einsum("rbqhk,rbshk->rbhqs", {q, k}) / std::sqrt(static_cast<double>(d_head()));
  Tensor visible = at::ones({positions(), positions()}, scores.options().dtype(at::kBool));
  if (options_.causal) visible = visible.tril();
  scores = tap(block + "attn.hook_attn_scores",
               scores.masked_fill(visible.logical_not(), -std::numeric_limits<double>::infinity()));
  Tensor pattern = scores.softmax(-1);
  if (options_.attention_mix != 1) {
    pattern = options_.attention_mix * pattern + (1 - options_.attention_mix) * visible.to(pattern.scalar_type());
  }
  pattern = tap(block + "attn.hook_pattern", pattern);
  const Tensor z = tap(block + "attn.hook_z", at::einsum("rbhqs,rbshk->rbqhk", {pattern, v}));
  return tap(block + "hook_attn_out", at::einsum("rbthk,rhkd->rbtd", {z, parameters[block + "attn.W_O"]}));
}

Tensor Transformer::trace(const Parameters& parameters, const Tensor& inputs_RBT, const Tap& tap) const {
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
    x = tap(block + "hook_resid_mid", x + attention(parameters, block, x, tap));
    const Tensor pre =
        tap(block + "mlp.hook_pre", linear_per_run(x, parameters[block + "mlp.W_in"], parameters[block + "mlp.b_in"]));
    const Tensor post = tap(block + "mlp.hook_post", activate(options_.activation, pre));
    const Tensor out = tap(block + "hook_mlp_out",
                           linear_per_run(post, parameters[block + "mlp.W_out"], parameters[block + "mlp.b_out"]));
    x = tap(block + "hook_resid_post", x + out);
  }
  return linear_per_run(x.select(2, T - 1), parameters["unembed.W_U"]);
}

Tensor Transformer::attention_weights(const Parameters& parameters, const Tensor& rows_RND,
                                      const Tensor& inputs_RBT) const {
  const int64_t R = rows_RND.size(0), H = options_.heads, K = d_head(), p = shape_.tokens;
  const auto project = [&](const Tensor& rows, const char* name) {  // [R,N,H,K]
    return at::einsum("rnd,rhdk->rnhk", {rows, parameters[std::string("blocks.0.attn.") + name]});
  };
  const Tensor a = inputs_RBT.select(2, 0), b = inputs_RBT.select(2, 1);
  const Tensor keys = project(rows_RND, "W_K") / std::sqrt(static_cast<double>(K));
  std::vector<Tensor> scores;
  if (options_.equals_token) {  // one query row: a score per row and head
    const Tensor table_RNH = (keys * project(rows_RND.narrow(1, 2 * p, 1), "W_Q")).sum(-1);
    scores = {lookup(table_RNH, a), lookup(table_RNH, b + p), table_RNH.narrow(1, 2 * p, 1).expand({R, a.size(1), H})};
  } else {  // the query is the second operand's row: a score per pair (b, a) and head
    const Tensor query = project(rows_RND.narrow(1, p, p), "W_Q");
    const Tensor pairs = at::einsum("rbhk,rahk->rbah", {query, keys.narrow(1, 0, p)}).reshape({R, p * p, H});
    scores = {lookup(pairs, b * p + a), lookup((query * keys.narrow(1, p, p)).sum(-1), b)};
  }
  const Tensor weights = at::stack(scores, -1).softmax(-1);  // [R,B,H,T]
  return options_.attention_mix == 1 ? weights : options_.attention_mix * weights + (1 - options_.attention_mix);
}

Tensor Transformer::logits(const Parameters& parameters, const Tensor& inputs_RBT) const {
  if (options_.layers != 1) return Model::logits(parameters, inputs_RBT);
  const int64_t p = shape_.tokens, R = inputs_RBT.size(0), H = options_.heads, D = options_.d_model;
  const Tensor W_E = parameters["embed.W_E"], W_pos = parameters["pos_embed.W_pos"];
  const Tensor W_in = parameters["blocks.0.mlp.W_in"], W_U = parameters["unembed.W_U"];
  std::vector<Tensor> rows;  // the residual stream of every distinct (token, position): a, b, and "="
  for (int64_t t = 0; t < positions(); ++t) {
    rows.push_back((t < 2 ? W_E.narrow(1, 0, p) : W_E.narrow(1, p, 1)) + W_pos.narrow(1, t, 1));
  }
  const Tensor rows_RND = at::cat(rows, 1);
  const int64_t N = rows_RND.size(1);

  // What head h writes into hidden units and logits when it attends to row n, for every n: [R,H,N,·].
  const Tensor read = mix_columns(W_in, W_U);
  const Tensor W_O =
      matmul_per_run(parameters["blocks.0.attn.W_O"].reshape({R, D, D}), read).view({R * H, d_head(), -1});
  const Tensor values =
      at::einsum("rnd,rhdk->rhnk", {rows_RND, parameters["blocks.0.attn.W_V"]}).reshape({R * H, N, -1});
  const Tensor heads = at::bmm(values, W_O).view({R, H * N, -1});
  // What the last position's own residual stream and the biases write there.
  const Tensor b_out = parameters["blocks.0.mlp.b_out"].unsqueeze(1);
  const Tensor biases = mix_columns(parameters["blocks.0.mlp.b_in"].unsqueeze(1), matmul_per_run(b_out, W_U));
  const Tensor base = matmul_per_run(rows.back(), read, biases);

  const int64_t T = positions();
  std::vector<MixTerm> terms{{.position = options_.equals_token ? -1 : 1, .first_row = H * N, .weight = -1}};
  for (int64_t h = 0; h < H; ++h) {
    for (int64_t t = 0; t < T; ++t) terms.push_back({t < 2 ? t : -1, h * N + t * p, h * T + t});
  }
  const Tensor weights = attention_weights(parameters, rows_RND, inputs_RBT).reshape({R, -1, H * T});
  const bool relu = options_.activation == "relu";
  const Mixed mixed = row_mix(at::cat({heads, base}, 1), inputs_RBT, terms, weights, W_in.size(2), W_U.size(2), relu);
  const Tensor post_RBM = relu ? mixed.hidden_RBM : activate(options_.activation, mixed.hidden_RBM);
  return matmul_per_run(post_RBM, matmul_per_run(parameters["blocks.0.mlp.W_out"], W_U), mixed.direct_RBV);
}

}  // namespace logodds
