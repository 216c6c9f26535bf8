#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/safetensors.h"

namespace logodds {

/// Everything that training depends on at one step.
struct Checkpoint {
  int64_t step = 0;
  std::vector<NamedTensors> runs;  ///< weights of each run
  NamedTensors state;              ///< optimizer and hooks
  nlohmann::ordered_json numbers;  ///< what is no tensor: seeds, offset of the metrics file
};

/// DIRECTORY/STEP/ with run-R.safetensors, state.safetensors, state.json and, last of all, manifest.json with the
/// size and SHA-256 of each. A checkpoint appears under its name complete or not at all.
class CheckpointDirectory {
 public:
  explicit CheckpointDirectory(std::filesystem::path directory) : directory_(std::move(directory)) {}

  /// Writes a checkpoint, then removes all but the newest `keep_last`. Throws an I/O Error.
  void save(const Checkpoint& checkpoint, int64_t keep_last) const;

  /// The steps there are, ascending.
  std::vector<int64_t> steps() const;

  /// Reads and verifies one; an I/O Error names the damaged file.
  Checkpoint load(int64_t step) const;

  /// The newest checkpoint that verifies; damaged ones are reported in the log. Throws an I/O Error when none is good.
  Checkpoint load_newest() const;

 private:
  std::filesystem::path path_of(int64_t step) const;

  std::filesystem::path directory_;
};

}  // namespace logodds
