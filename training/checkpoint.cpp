#include "training/checkpoint.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "core/error.h"
#include "core/files.h"
#include "core/log.h"
#include "core/text.h"

namespace logodds {

namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

std::string run_file(size_t run) { return "run-" + std::to_string(run) + ".safetensors"; }

/// Reads a file of a checkpoint and holds it against the manifest.
std::string verified(const fs::path& directory, const std::string& name, const Json& files) {
  const auto entry = files.find(name);
  if (entry == files.end() || !entry->is_object())
    throw io_error((directory / "manifest.json").string() + ": does not list " + name);
  std::string content = read_file(directory / name);
  if (entry->value("sha256", "") != sha256(content)) {
    throw io_error((directory / name).string() + ": is damaged: its SHA-256 is not the one in manifest.json");
  }
  return content;
}

Json parse(const std::string& text, const fs::path& path) {
  Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) throw io_error(path.string() + ": is damaged: not a JSON object");
  return json;
}

void make_directory(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) throw io_error(path.string() + ": cannot create directory: " + error.message());
}

}  // namespace

fs::path CheckpointDirectory::path_of(int64_t step) const {
  std::string name = std::to_string(step);
  name.insert(0, name.size() < 8 ? 8 - name.size() : 0, '0');
  return directory_ / name;
}

void CheckpointDirectory::save(const Checkpoint& checkpoint, int64_t keep_last) const {
  const fs::path final_path = path_of(checkpoint.step);
  const fs::path temporary = directory_ / (final_path.filename().string() + ".partial");
  std::error_code ignored;
  fs::remove_all(temporary, ignored);
  make_directory(temporary);
  Json files = Json::object();
  const auto put = [&](const std::string& name, const std::string& content) {
    write_file_atomically(temporary / name, content);
    files[name] = {{"bytes", content.size()}, {"sha256", sha256(content)}};
  };
  for (size_t run = 0; run < checkpoint.runs.size(); ++run) {
    put(run_file(run), to_safetensors(checkpoint.runs[run], {{"format", "pt"}}));
  }
  put("state.safetensors", to_safetensors(checkpoint.state));
  Json numbers = checkpoint.numbers;
  numbers["step"] = checkpoint.step;
  numbers["runs"] = checkpoint.runs.size();
  put("state.json", numbers.dump(1) + "\n");
  write_file_atomically(temporary / "manifest.json", Json{{"format", 1}, {"files", files}}.dump(1) + "\n");

  std::error_code error;
  fs::remove_all(final_path, error);  // the same step, saved before an interruption: its content is the same
  fs::rename(temporary, final_path, error);
  if (error) throw io_error(final_path.string() + ": cannot rename into place: " + error.message());
  sync_directory(directory_);
  const auto all = steps();
  for (size_t i = 0; i + static_cast<size_t>(keep_last) < all.size(); ++i) fs::remove_all(path_of(all[i]), ignored);
}

std::vector<int64_t> CheckpointDirectory::steps() const {
  std::vector<int64_t> steps;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory_, error)) {
    std::string digits = entry.path().filename().string();
    digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size() - 1));
    const auto step = parse_integer(digits);
    if (step && fs::exists(entry.path() / "manifest.json") && entry.path() == path_of(*step)) steps.push_back(*step);
  }
  std::ranges::sort(steps);
  return steps;
}

Checkpoint CheckpointDirectory::load(int64_t step) const {
  const fs::path path = path_of(step);
  const Json manifest = parse(read_file(path / "manifest.json"), path / "manifest.json");
  const Json files = manifest.value("files", Json::object());
  Checkpoint checkpoint;
  checkpoint.numbers = parse(verified(path, "state.json", files), path / "state.json");
  checkpoint.step = checkpoint.numbers.value("step", int64_t{-1});
  if (checkpoint.step != step) throw io_error((path / "state.json").string() + ": belongs to another step");
  checkpoint.state =
      from_safetensors(verified(path, "state.safetensors", files), (path / "state.safetensors").string());
  const auto runs = checkpoint.numbers.value("runs", size_t{0});
  for (size_t run = 0; run < runs; ++run) {
    checkpoint.runs.push_back(from_safetensors(verified(path, run_file(run), files), (path / run_file(run)).string()));
  }
  return checkpoint;
}

Checkpoint CheckpointDirectory::load_newest() const {
  auto all = steps();
  for (; !all.empty(); all.pop_back()) {
    try {
      return load(all.back());
    } catch (const Error& error) {
      spdlog::error("{}", error.what());
      spdlog::error("checkpoint {} is not usable; trying the one before it", all.back());
    }
  }
  throw io_error(directory_.string() + ": holds no usable checkpoint");
}

}  // namespace logodds
