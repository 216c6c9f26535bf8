#include "models/mlp.h"

#include <ATen/ATen.h>

#include <cmath>

#include "core/error.h"
#include "models/activation.h"
#include "models/ops/batched.h"
#include "models/ops/row_mix.h"

namespace logodds {

void Mlp::Options::fields(Fields& fields) {
  fields.choice({"embedding", "of tokens: one table, one per position, or indicators (features have none)"}, embedding,
                {"shared", "separate", "one_hot"});
  fields.choice({"combine", "how embedded tokens are joined"}, combine, {"sum", "concatenation"});
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
  if (embedded()) {
    const double std = 1 / std::sqrt(static_cast<double>(options_.d_embed));
    const bool shared = options_.embedding == "shared";
    const std::vector<int64_t> shape =
        shared ? std::vector<int64_t>{p, options_.d_embed} : std::vector<int64_t>{t, p, options_.d_embed};
    specs.push_back({"embed.W_E", shape, std});
  }
  int64_t width = shape_.features() ? t : (one_hot() ? p : options_.d_embed) * (sum() ? 1 : t);
  auto fan_in = static_cast<double>(one_hot() ? t : width);
  for (size_t layer = 0; layer < options_.hidden.size(); ++layer) {
    const int64_t units = options_.hidden[layer];
    specs.push_back({layer_name(layer, "W_in"), {width, units}, 1 / std::sqrt(fan_in)});
    if (options_.bias) specs.push_back({layer_name(layer, "b_in"), {units}});
    width = units;
    fan_in = static_cast<double>(units);
  }
  specs.push_back({"unembed.W_U", {width, shape_.outputs()}, 1 / std::sqrt(fan_in)});
  if (options_.bias) specs.push_back({"unembed.b_U", {shape_.outputs()}});
  return specs;
}

Tensor Mlp::embedding(const Parameters& parameters, int64_t position) const {
  const Tensor& W_E = parameters["embed.W_E"];
  return options_.embedding == "separate" ? W_E.select(1, position) : W_E;
}

int64_t Mlp::table_count() const { return sum() && options_.embedding != "separate" ? 1 : shape_.positions; }

Tensor Mlp::input_weights(const Tensor& W_in, int64_t table) const {
  const int64_t rows = W_in.size(1) / (sum() ? 1 : shape_.positions);
  return sum() ? W_in : W_in.narrow(1, table * rows, rows);
}

Tensor Mlp::input(const Parameters& parameters, const Tensor& inputs) const {
  if (shape_.features()) return inputs;
  std::vector<Tensor> embedded;
  for (int64_t t = 0; t < shape_.positions; ++t) {
    const Tensor tokens_RB = inputs.select(2, t);
    if (one_hot()) {
      embedded.push_back(at::one_hot(tokens_RB, shape_.tokens).to(parameters.flat().scalar_type()));
    } else {
      embedded.push_back(lookup(embedding(parameters, t), tokens_RB));
    }
  }
  return sum() ? at::stack(embedded).sum(0) : at::cat(embedded, -1);
}

Tensor Mlp::trace(const Parameters& parameters, const Tensor& inputs, const Tap& tap) const {
  Tensor x = tap("hook_embed", input(parameters, inputs));
  const auto bias = [&](const std::string& name) { return options_.bias ? parameters[name] : Tensor(); };
  for (size_t layer = 0; layer < options_.hidden.size(); ++layer) {
    x = linear_per_run(x, parameters[layer_name(layer, "W_in")], bias(layer_name(layer, "b_in")));
    x = activate(options_.activation, tap(layer_name(layer, "hook_pre"), x));
    x = tap(layer_name(layer, "hook_post"), x);
  }
  return class_logits(linear_per_run(x, parameters["unembed.W_U"], bias("unembed.b_U")), shape_.single_logit);
}

LogitPaths Mlp::paths(const Parameters& one, const Tensor& inputs) const {
  const size_t last = options_.hidden.size() - 1;
  std::vector<Tensor> pre, post;
  trace_in_batches(*this, one, inputs, [&](const std::string& name, const Tensor& x) {
    if (name == layer_name(last, "hook_pre")) pre.push_back(x);
    if (name == layer_name(last, "hook_post")) post.push_back(x);
  });
  const auto columns = [&](const char* name) { return class_logits(one[name].detach(), shape_.single_logit); };
  const Tensor W_U = columns("unembed.W_U")[0];
  LogitPaths result{
      .paths = {{std::to_string(last) + "_mlp_out", false, at::cat(post), W_U}}, .neurons = 0, .pre_BM = at::cat(pre)};
  if (options_.bias) result.paths.push_back({"bias", true, at::ones({1, 1}, W_U.options()), columns("unembed.b_U")});
  return result;
}

Tensor Mlp::folded_columns(const Tensor& x, bool gauge) const {
  return relative_to_last(class_logits(x, shape_.single_logit), gauge);
}

Tensor Mlp::folded_columns_gradient(const Tensor& gradient, bool gauge) const {
  return class_logits_gradient(relative_to_last_gradient(gradient, gauge), shape_.single_logit);
}

void Mlp::fold_tokens(const Parameters& parameters, Folded& folded) const {
  const Tensor W_in = parameters[layer_name(0, "W_in")];
  std::vector<Tensor> tables;  // rows of the first layer's pre-activation
  for (int64_t table = 0; table < table_count(); ++table) {
    const Tensor weights = input_weights(W_in, table);
    tables.push_back(one_hot() ? weights : matmul_per_run(embedding(parameters, table), weights));
  }
  folded.mix.table_RNW = aligned_columns(tables.size() == 1 ? tables[0] : at::cat(tables, 1));
  for (int64_t t = 0; t < shape_.positions; ++t) {
    folded.mix.terms.push_back({t, table_count() == 1 ? 0 : t * shape_.tokens, -1});
  }
  if (options_.bias) folded.mix.base_RW = aligned_columns(parameters[layer_name(0, "b_in")]);
}

std::optional<Folded> Mlp::fold(const Parameters& parameters, const Inputs&, bool gauge) const {
  Folded folded;
  folded.hidden = options_.hidden[0];
  folded.activation = options_.activation;
  if (!shape_.features()) fold_tokens(parameters, folded);
  const auto bias = [&](const std::string& name) { return options_.bias ? parameters[name] : Tensor(); };
  for (size_t layer = shape_.features() ? 0 : 1; layer < options_.hidden.size(); ++layer) {
    folded.layers.push_back({parameters[layer_name(layer, "W_in")], bias(layer_name(layer, "b_in")),
                             parameters.gradient(layer_name(layer, "W_in"))});
  }
  const Tensor b_U = options_.bias ? folded_columns(parameters["unembed.b_U"], gauge) : Tensor();
  folded.layers.push_back({folded_columns(parameters["unembed.W_U"], gauge), b_U, {}});
  folded.pull_back = [this, gauge](const std::vector<Tensor>& gradients, Parameters& into) {
    pull_back(gradients, gauge, into);
  };
  return folded;
}

void Mlp::pull_back_tokens(const Tensor& table_RNW, Parameters& parameters) const {
  const Tensor W_in = parameters[layer_name(0, "W_in")], W_in_gradient = parameters.gradient(layer_name(0, "W_in"));
  const int64_t p = shape_.tokens, units = W_in.size(2);
  for (int64_t table = 0; table < table_count(); ++table) {
    const Tensor rows = table_RNW.narrow(1, table * p, p).narrow(2, 0, units);
    const Tensor weights = input_weights(W_in_gradient, table);
    if (one_hot()) {
      weights.copy_(rows);
      continue;
    }
    // One table may read all of W_in, or several its parts, or several all of it: then their gradients add up.
    const Tensor product = matmul_per_run(embedding(parameters, table).transpose(1, 2), rows);
    sum() && table > 0 ? weights.add_(product) : weights.copy_(product);
    const Tensor& W_E = parameters.gradient("embed.W_E");
    const Tensor embedding_gradient = matmul_per_run(rows, input_weights(W_in, table).transpose(1, 2));
    if (options_.embedding == "separate") {
      W_E.select(1, table).copy_(embedding_gradient);
    } else {
      table > 0 ? W_E.add_(embedding_gradient) : W_E.copy_(embedding_gradient);
    }
  }
}

void Mlp::pull_back(const std::vector<Tensor>& gradients, bool gauge, Parameters& parameters) const {
  auto gradient = gradients.begin();
  const auto take = [&](const std::string& name) {
    const Tensor& from = *gradient++;
    if (from.data_ptr() != parameters.gradient(name).data_ptr()) parameters.gradient(name).copy_(from);
  };
  if (!shape_.features()) {
    pull_back_tokens(*gradient++, parameters);
    const Tensor b_in = options_.bias ? parameters.gradient(layer_name(0, "b_in")) : Tensor();
    if (options_.bias) b_in.copy_((gradient++)->narrow(1, 0, b_in.size(1)));
  }
  for (size_t layer = shape_.features() ? 0 : 1; layer < options_.hidden.size(); ++layer) {
    take(layer_name(layer, "W_in"));
    if (options_.bias) take(layer_name(layer, "b_in"));
  }
  parameters.gradient("unembed.W_U").copy_(folded_columns_gradient(*gradient++, gauge));
  if (options_.bias) parameters.gradient("unembed.b_U").copy_(folded_columns_gradient(*gradient++, gauge));
}

}  // namespace logodds
