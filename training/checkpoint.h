#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
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

/// Which checkpoints stay when another one is saved: the newest `last`, and for good those of steps that are multiples
/// of `every_steps`; 0: none of these.
struct Keep {
  int64_t last = 1;
  int64_t every_steps = 0;
};

/// DIRECTORY/STEP/ with run-R.safetensors, state.safetensors, state.json and, last of all, manifest.json with the
/// size and SHA-256 of each. A checkpoint appears under its name complete or not at all; NAME.partial is one that is
/// being written or removed, or was when its process ended.
class CheckpointDirectory {
 public:
  explicit CheckpointDirectory(std::filesystem::path directory) : directory_(std::move(directory)) {}

  /// Writes a checkpoint, then tidies up. Throws an I/O Error; the others are then as they were.
  void save(const Checkpoint& checkpoint, Keep keep) const;

  /// Removes checkpoints that are not to be kept, and what interruptions left.
  void tidy(Keep keep) const;

  /// Gives those after a step, which turned out to be unusable, the name NAME.damaged: nothing counts or keeps them.
  void set_aside_after(int64_t step) const;

  /// The steps of all that are complete, ascending.
  std::vector<int64_t> steps() const;

  /// The steps whose directory is there, complete or not, ascending.
  std::vector<int64_t> named() const;

  /// Reads and verifies one; an I/O Error names the damaged file.
  Checkpoint load(int64_t step) const;

  /// Every file of one that is missing or damaged, or, where none is, does not belong to it; in a sentence each.
  std::vector<std::string> problems(int64_t step) const;

  /// The newest checkpoint that verifies and that `usable` does not throw an Error for; others are reported in the log.
  /// Throws an I/O Error when none is good.
  Checkpoint load_newest(const std::function<void(const Checkpoint&)>& usable = {}) const;

  std::filesystem::path path_of(int64_t step) const;

 private:
  std::filesystem::path directory_;
};

}  // namespace logodds
