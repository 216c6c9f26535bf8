#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/lock_file.h"
#include "core/metrics.h"
#include "experiments/experiment.h"
#include "training/checkpoint.h"

namespace logodds {

/// What a run leaves on disk:
///   config.yaml       resolved configuration, loadable again
///   provenance.json   versions, machine and command line
///   manifest.json     size and SHA-256 of these two
///   metrics.jsonl     one object per evaluation and run
///   checkpoints/STEP/ weights and state
///   diverged/run-R/   of a run that diverged: divergence.json, weights.safetensors, batch.safetensors, manifest.json
///   lock              while it is trained
class RunDirectory {
 public:
  /// Throws an I/O Error where a directory is there that holds anything but what an interrupted `create` leaves.
  static void refuse_existing(const std::filesystem::path& path);

  /// What a process holds while it changes a run directory, which is made where there is none. Throws an I/O Error that
  /// says which process has it.
  static std::unique_ptr<LockFile> lock(const std::filesystem::path& path,
                                        std::chrono::milliseconds patience = std::chrono::milliseconds(200));

  /// A new run; config.yaml is written last. Throws an I/O Error, also as refuse_existing does.
  static RunDirectory create(const std::filesystem::path& path, const Experiment& experiment,
                             const std::string& command_line);

  /// A run that is there; throws an I/O Error when it is none.
  static RunDirectory open(const std::filesystem::path& path);

  /// A directory for checkpoints and metrics alone, made where there is none.
  static RunDirectory without_configuration(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return path_; }
  Experiment experiment() const { return Experiment::from_file((path_ / "config.yaml").string()); }
  std::filesystem::path metrics_path() const { return path_ / "metrics.jsonl"; }
  CheckpointDirectory checkpoints() const { return CheckpointDirectory(path_ / "checkpoints"); }

  /// Refuses to continue this run under another configuration; training.steps alone may differ. Names what differs.
  void refuse_other_configuration(const Experiment& experiment) const;

  /// Throws an I/O Error where config.yaml or provenance.json is not as it was written.
  void refuse_damage() const;

  /// The newest checkpoint that is good and whose metrics are; none, with a line in the log, where the run was ended
  /// before its first one. Throws an I/O Error where there are checkpoints and none of them is usable.
  std::optional<Checkpoint> newest_checkpoint() const;

  /// Keeps what a run diverged on; and whether run r of this directory has.
  void save_divergence(const Divergence& divergence, const std::string& label) const;
  static bool diverged(const std::filesystem::path& path, size_t run);

 private:
  explicit RunDirectory(std::filesystem::path path) : path_(std::move(path)) {}

  std::filesystem::path path_;
};

}  // namespace logodds
