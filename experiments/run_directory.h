#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/metrics.h"
#include "experiments/experiment.h"
#include "training/checkpoint.h"

namespace logodds {

/// What a run leaves on disk:
///   config.yaml       resolved configuration, loadable again
///   provenance.json   versions, machine and command line
///   metrics.jsonl     one object per evaluation and run
///   checkpoints/STEP/ weights and state
class RunDirectory {
 public:
  /// A new run; refuses a directory that holds anything. Throws an I/O Error.
  static RunDirectory create(const std::filesystem::path& path, const Experiment& experiment,
                             const std::string& command_line);

  /// A run that is there; throws an I/O Error when it is none.
  static RunDirectory open(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return path_; }
  Experiment experiment() const { return Experiment::from_file((path_ / "config.yaml").string()); }
  std::filesystem::path metrics_path() const { return path_ / "metrics.jsonl"; }
  CheckpointDirectory checkpoints() const { return CheckpointDirectory(path_ / "checkpoints"); }

  /// Refuses to continue this run under another configuration; training.steps alone may differ. Names what differs.
  void refuse_other_configuration(const Experiment& experiment) const;

 private:
  explicit RunDirectory(std::filesystem::path path) : path_(std::move(path)) {}

  std::filesystem::path path_;
};

}  // namespace logodds
