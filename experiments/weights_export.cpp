#include "experiments/weights_export.h"

#include <ATen/ATen.h>

#include "core/error.h"
#include "core/files.h"
#include "core/json.h"
#include "core/log.h"
#include "core/text.h"
#include "core/write_fields.h"

namespace logodds {

namespace {

namespace fs = std::filesystem;

/// The options of a component as JSON.
Row json_of(const Node& node) {
  if (node.kind == Node::Kind::map) {
    Row row = Row::object();
    for (const auto& [key, value] : node.entries) row[key] = json_of(value);
    return row;
  }
  if (node.kind == Node::Kind::sequence) {
    Row list = Row::array();
    for (const auto& item : node.items) list.push_back(json_of(item));
    return list;
  }
  if (node.value == "true" || node.value == "false") return node.value == "true";
  if (const auto integer = parse_integer(node.value)) return *integer;
  if (const auto real = parse_real(node.value)) return *real;
  return node.value;
}

Row options_of(const Selection& selection) {
  WriteFields writer;
  selection.choice()->fields(writer);
  Row row{{"kind", selection.name()}};
  row.update(json_of(writer.take()));
  return row;
}

/// Why TransformerLens cannot express a model; empty where it can.
std::string obstacle(const Row& model) {
  if (model["kind"] != "transformer") return "it is no transformer";
  if (model["activation"] == "quadratic") return "its activation is quadratic";
  if (model["attention_mix"] != 1) return "its attention is mixed";
  return "";
}

Row transformer_lens_config(const Row& model, const InputShape& shape) {
  const bool equals = model["equals_token"];
  return {{"n_layers", model["layers"]},
          {"d_model", model["d_model"]},
          {"n_ctx", shape.positions + (equals ? 1 : 0)},
          {"d_head", model["d_model"].get<int64_t>() / model["heads"].get<int64_t>()},
          {"n_heads", model["heads"]},
          {"d_mlp", model["d_mlp"]},
          {"d_vocab", shape.tokens + (equals ? 1 : 0)},
          {"d_vocab_out", shape.classes},
          {"act_fn", model["activation"]},
          {"attention_dir", model["causal"].get<bool>() ? "causal" : "bidirectional"},
          {"normalization_type", nullptr},
          {"device", "cpu"}};
}

/// The biases that every HookedTransformer has.
void add_zero_biases(NamedTensors& weights, const Row& config) {
  const int64_t H = config["n_heads"], K = config["d_head"], D = config["d_model"], V = config["d_vocab_out"];
  const auto options = weights.at("unembed.W_U").options();
  for (int64_t layer = 0; layer < config["n_layers"].get<int64_t>(); ++layer) {
    const std::string block = "blocks." + std::to_string(layer) + ".attn.";
    for (const char* name : {"b_Q", "b_K", "b_V"}) weights.try_emplace(block + name, at::zeros({H, K}, options));
    weights.try_emplace(block + "b_O", at::zeros({D}, options));
  }
  weights.try_emplace("unembed.b_U", at::zeros({V}, options));
}

NamedTensors reference_of(const Subject& subject) {
  const int64_t N = subject.inputs_NT.size(0);
  const Tensor traced = at::arange(0, N, (N + 63) / 64);
  NamedTensors tensors{{"inputs", subject.inputs_NT}, {"logits", subject.logits_NV}, {"traced", traced}};
  trace_in_batches(subject.model, subject.parameters, subject.inputs_NT.index_select(0, traced),
                   [&](const std::string& name, const Tensor& activation) { tensors[name] = activation; });
  return tensors;
}

}  // namespace

void export_weights(const Inspection& inspection, size_t run, const fs::path& directory, bool reference) {
  std::error_code error;
  if (fs::exists(directory, error) && !(fs::is_directory(directory, error) && fs::is_empty(directory, error))) {
    throw io_error(directory.string() + ": exists already; choose another place");
  }
  const ExperimentOptions& options = inspection.experiment().options();
  const Row model = options_of(options.model);
  NamedTensors weights = inspection.weights(run);
  Row config;
  if (const std::string why = obstacle(model); why.empty()) {
    config = transformer_lens_config(model, options.task.make<Task>()->shape());
    add_zero_biases(weights, config);
  } else {
    config = {{"task", options_of(options.task)}, {"model", model}};
    spdlog::info("plain named tensors: TransformerLens cannot express this model ({})", why);
  }
  fs::create_directories(directory, error);
  if (error) throw io_error(directory.string() + ": cannot create directory: " + error.message());
  write_file_atomically(directory / "model.safetensors", to_safetensors(weights, {{"format", "pt"}}));
  if (reference) {
    write_file_atomically(directory / "reference.safetensors", to_safetensors(reference_of(inspection.subject(run))));
  }
  write_file_atomically(directory / "config.json", to_json(config) + "\n");
}

}  // namespace logodds
