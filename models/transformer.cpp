#include "models/transformer.h"

#include <ATen/ATen.h>

#include <cmath>
#include <limits>

#include "core/error.h"
#include "models/activation.h"
#include "models/ops/attention_pattern.h"
#include "models/ops/batched.h"

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

Tensor Transformer::pattern(const Parameters& parameters, const Tensor& rows_RND, const Tensor& equals_R1D,
                            const Tensor& inputs_RBT) const {
  const int64_t p = shape_.tokens;
  const Tensor W_Q = parameters["blocks.0.attn.W_Q"], W_K = parameters["blocks.0.attn.W_K"];
  const double scale = 1 / std::sqrt(static_cast<double>(d_head()));
  if (options_.equals_token) {  // one query: a score per row and head, relative to that of "=" itself
    const Tensor query_RH1K = at::matmul(equals_R1D.unsqueeze(1), W_Q);
    const Tensor read_RDH = at::matmul(W_K, query_RH1K.transpose(2, 3)).squeeze(3).transpose(1, 2) * scale;
    return attention_pattern(matmul_per_run(rows_RND, read_RDH), inputs_RBT,
                             {{.strides = {1, 0}}, {.first = p, .strides = {0, 1}}, {.zero = true}}, 2,
                             options_.attention_mix);
  }
  // The query is the second operand's row: a score per pair (b, a) and head.
  const auto project = [](const Tensor& rows, const Tensor& W) { return at::einsum("rnd,rhdk->rnhk", {rows, W}); };
  const Tensor query = project(rows_RND.narrow(1, p, p), W_Q) * scale, keys = project(rows_RND, W_K);
  const Tensor pairs = at::einsum("rbhk,rahk->rbah", {query, keys.narrow(1, 0, p)}).flatten(1, 2);
  const Tensor same = (query * keys.narrow(1, p, p)).sum(-1);
  return attention_pattern(at::cat({pairs, same}, 1), inputs_RBT,
                           {{.strides = {1, p}}, {.first = p * p, .strides = {0, 1}}}, 2, options_.attention_mix);
}

std::optional<Folded> Transformer::fold(const Parameters& parameters, const Tensor& inputs_RBT, bool gauge) const {
  if (options_.layers != 1) return std::nullopt;
  const int64_t p = shape_.tokens, R = inputs_RBT.size(0), H = options_.heads, D = options_.d_model, K = d_head();
  const bool equals = options_.equals_token;
  const Tensor W_in = parameters["blocks.0.mlp.W_in"];
  const Tensor W_U = relative_to_last(parameters["unembed.W_U"], gauge);
  // The residual stream of every distinct (token, position): [a | b], and of the position that is read.
  const Tensor W_E = parameters["embed.W_E"].narrow(1, 0, p), W_pos = parameters["pos_embed.W_pos"];
  Tensor rows_RND = at::cat({W_E + W_pos.narrow(1, 0, 1), W_E + W_pos.narrow(1, 1, 1)}, 1);
  Tensor own_RND = rows_RND.narrow(1, p, p);
  if (equals) {
    own_RND = parameters["embed.W_E"].narrow(1, p, 1) + W_pos.narrow(1, 2, 1);
    rows_RND = rows_RND - own_RND;
  }

  // What head h writes into hidden units and logits when it attends to row n, for every n: [R,H,N,W].
  const Tensor read_RDW = aligned_columns(W_in, W_U);
  const Tensor write_RDW = matmul_per_run(parameters["blocks.0.attn.W_O"].reshape({R, D, D}), read_RDW);
  const Tensor W_V = parameters["blocks.0.attn.W_V"].transpose(1, 2).reshape({R, D, D});
  const Tensor values = matmul_per_run(rows_RND, W_V).view({R, 2 * p, H, K}).transpose(1, 2);
  const Tensor heads =
      at::bmm(values.reshape({R * H, 2 * p, K}), write_RDW.view({R * H, K, -1})).view({R, H * 2 * p, -1});
  // What the last position's own residual stream and the biases write there.
  const Tensor b_out = parameters["blocks.0.mlp.b_out"].unsqueeze(1);
  const Tensor biases = aligned_columns(parameters["blocks.0.mlp.b_in"].unsqueeze(1), matmul_per_run(b_out, W_U));
  Tensor own_RNW = matmul_per_run(own_RND, read_RDW, biases);

  Folded folded;
  folded.mix.table_RNW = heads;
  folded.hidden = W_in.size(2);
  folded.has_direct = true;
  folded.activation = options_.activation;
  folded.layers = {{matmul_per_run(parameters["blocks.0.mlp.W_out"], W_U), {}}};
  const double alpha = options_.attention_mix, total = alpha + static_cast<double>(positions()) * (1 - alpha);
  if (equals) {  // all of the attention, as if it went to "="
    folded.mix.base_RW = matmul_per_run(matmul_per_run(own_RND, W_V) * total, write_RDW, own_RNW).squeeze(1);
  } else {
    folded.mix.table_RNW = at::cat({heads, own_RNW}, 1);
    folded.mix.terms.push_back({.position = 1, .first_row = H * 2 * p, .weight = -1});
  }
  for (int64_t t = 0; t < 2; ++t) {
    for (int64_t h = 0; h < H; ++h) folded.mix.terms.push_back({t, (h * 2 + t) * p, h * 2 + t});
  }
  folded.mix.weights_RBC = pattern(parameters, rows_RND, own_RND, inputs_RBT);
  return folded;
}

}  // namespace logodds
