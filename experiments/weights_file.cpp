#include "experiments/weights_file.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <sstream>

#include "core/error.h"
#include "core/files.h"
#include "core/log.h"
#include "core/text.h"

namespace logodds {

namespace {

bool is_bias(const std::string& name) {
  return name.rfind("b_") != std::string::npos && name.rfind("b_") == name.rfind('.') + 1;
}

bool is_buffer(const std::string& name) { return name.ends_with(".mask") || name.ends_with(".IGNORE"); }

/// Without the last class, where the file has exactly one more than the model.
Tensor without_equals(const Tensor& tensor, const ParameterSpec& spec, const std::string& source) {
  if (!spec.name.starts_with("unembed.") || tensor.dim() != static_cast<int64_t>(spec.shape.size())) return tensor;
  const int64_t last = tensor.dim() - 1, classes = spec.shape.back();
  if (tensor.size(last) != classes + 1) return tensor;
  spdlog::info("{}: '{}' has {} classes; the last one, \"=\", is left out", source, spec.name, classes + 1);
  return tensor.narrow(last, 0, classes);
}

}  // namespace

NamedTensors read_weights(const std::filesystem::path& path, const std::vector<ParameterSpec>& specs) {
  NamedTensors found = read_safetensors(path), fitted;
  for (const auto& spec : specs) {
    const auto tensor = found.find(spec.name);
    if (tensor != found.end()) {
      fitted[spec.name] = without_equals(tensor->second, spec, path.string());
      found.erase(tensor);
    } else if (is_bias(spec.name)) {
      fitted[spec.name] = at::zeros(spec.shape);
    }
  }
  for (const auto& [name, tensor] : found) {
    if (is_buffer(name)) continue;
    const bool zero = is_bias(name) && tensor.count_nonzero().item<int64_t>() == 0;
    if (is_bias(name) && !zero) {
      throw io_error(path.string() + ": '" + name + "' is not zero, and the configured model has no such bias" +
                     (name.find("mlp") == std::string::npos ? "; a transformer has it with model.biases=all" : ""));
    }
    if (!zero) fitted[name] = tensor;  // refused by its name when the model loads it
  }
  return fitted;
}

std::vector<int64_t> read_split(const std::filesystem::path& path, const Task& task) {
  std::istringstream lines(read_file(path));
  std::vector<int64_t> examples;
  std::string line;
  for (int64_t number = 1; std::getline(lines, line); ++number) {
    line = line.substr(0, line.find('#'));
    std::ranges::replace(line, ',', ' ');
    std::istringstream words(line);
    std::vector<int64_t> input;
    for (std::string word; words >> word;) {
      const auto value = parse_integer(word);
      const std::string where = path.string() + ":" + std::to_string(number) + ": ";
      if (!value) throw Error(where + "'" + word + "' is not a whole number; a line is an input such as 17,45");
      input.push_back(*value);
    }
    if (input.empty()) continue;
    try {
      examples.push_back(task.find(input));
    } catch (const Error& error) {
      throw Error(path.string() + ":" + std::to_string(number) + ": " + error.what());
    }
  }
  if (examples.empty()) throw Error(path.string() + ": names no training input");
  return examples;
}

}  // namespace logodds
