#include "training/checkpoint.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "core/error.h"
#include "core/files.h"
#include "core/json.h"
#include "core/log.h"
#include "core/manifest.h"
#include "core/text.h"

namespace logodds {

namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

std::string run_file(size_t run) { return "run-" + std::to_string(run) + ".safetensors"; }

/// Its name becomes that of an unfinished one first, so that an end of the process in between leaves none in parts.
void remove_checkpoint(const fs::path& path) {
  const fs::path going = path.string() + ".partial";
  try {
    rename_directory(path, going);
    remove_tree(going);
  } catch (const Error& error) {
    spdlog::warn("an old checkpoint cannot be removed: {}", error.what());
  }
}

/// All files of a checkpoint, the manifest last.
void write(const Checkpoint& checkpoint, const fs::path& path) {
  make_directories(path);
  Manifest manifest;
  for (size_t run = 0; run < checkpoint.runs.size(); ++run) {
    manifest.put(path, run_file(run), to_safetensors(checkpoint.runs[run], {{"format", "pt"}}));
  }
  manifest.put(path, "state.safetensors", to_safetensors(checkpoint.state));
  Json numbers = checkpoint.numbers;
  numbers["step"] = checkpoint.step;
  numbers["runs"] = checkpoint.runs.size();
  manifest.put(path, "state.json", numbers.dump(1) + "\n");
  manifest.write(path);
}

}  // namespace

fs::path CheckpointDirectory::path_of(int64_t step) const {
  std::string name = std::to_string(step);
  name.insert(0, name.size() < 8 ? 8 - name.size() : 0, '0');
  return directory_ / name;
}

void CheckpointDirectory::save(const Checkpoint& checkpoint, Keep keep) const {
  make_directories(directory_);
  const fs::path final_path = path_of(checkpoint.step), temporary = final_path.string() + ".partial";
  remove_tree(temporary);
  try {
    write(checkpoint, temporary);
    rename_directory(temporary, final_path);
  } catch (...) {
    remove_tree(temporary);  // the disk may be full
    throw;
  }
  sync_directory(directory_);
  tidy(keep);
}

void CheckpointDirectory::tidy(Keep keep) const {
  const auto all = steps();
  for (size_t i = 0; i + static_cast<size_t>(keep.last) < all.size(); ++i) {
    if (keep.every_steps == 0 || all[i] % keep.every_steps != 0) remove_checkpoint(path_of(all[i]));
  }
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory_, error)) {
    if (entry.path().extension() == ".partial") remove_tree(entry.path());
  }
}

void CheckpointDirectory::set_aside_after(int64_t step) const {
  for (const int64_t later : named()) {
    if (later <= step) continue;
    const fs::path aside = path_of(later).string() + ".damaged";
    remove_tree(aside);
    rename_directory(path_of(later), aside);
  }
}

std::vector<int64_t> CheckpointDirectory::named() const {
  std::vector<int64_t> steps;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory_, error)) {
    std::string digits = entry.path().filename().string();
    digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size() - 1));
    const auto step = parse_integer(digits);
    if (step && entry.path() == path_of(*step)) steps.push_back(*step);
  }
  std::ranges::sort(steps);
  return steps;
}

std::vector<int64_t> CheckpointDirectory::steps() const {
  auto steps = named();
  std::erase_if(steps, [&](int64_t step) { return !fs::exists(path_of(step) / "manifest.json"); });
  return steps;
}

Checkpoint CheckpointDirectory::load(int64_t step) const {
  const fs::path path = path_of(step);
  const Manifest manifest = Manifest::read(path);
  Checkpoint checkpoint;
  checkpoint.numbers = parse_json(manifest.verified(path, "state.json"), (path / "state.json").string());
  checkpoint.step = checkpoint.numbers.value("step", int64_t{-1});
  if (checkpoint.step != step) throw io_error((path / "state.json").string() + ": belongs to another step");
  const auto tensors = [&](const std::string& name) {
    return from_safetensors(manifest.verified(path, name), (path / name).string());
  };
  checkpoint.state = tensors("state.safetensors");
  const auto runs = checkpoint.numbers.value("runs", size_t{0});
  for (size_t run = 0; run < runs; ++run) checkpoint.runs.push_back(tensors(run_file(run)));
  return checkpoint;
}

std::vector<std::string> CheckpointDirectory::problems(int64_t step) const {
  const fs::path path = path_of(step);
  auto problems = manifest_problems(path);
  const bool listed = fs::exists(path / "manifest.json") && problems.empty();
  const auto names = listed ? Manifest::read(path).names() : std::vector<std::string>();
  for (const auto& entry : fs::directory_iterator(path)) {
    const std::string name = entry.path().filename().string();
    if (listed && name != "manifest.json" && std::ranges::find(names, name) == names.end()) {
      problems.push_back(entry.path().string() + ": is not in manifest.json");
    }
  }
  return problems;
}

Checkpoint CheckpointDirectory::load_newest(const std::function<void(const Checkpoint&)>& usable) const {
  auto all = named();
  for (; !all.empty(); all.pop_back()) {
    try {
      Checkpoint checkpoint = load(all.back());
      if (usable) usable(checkpoint);
      return checkpoint;
    } catch (const Error& error) {
      spdlog::error("{}", error.what());
      spdlog::error("checkpoint {} is not usable; trying the one before it", all.back());
    }
  }
  throw io_error(directory_.string() + ": holds no usable checkpoint");
}

}  // namespace logodds
