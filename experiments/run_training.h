#pragma once

#include <memory>
#include <optional>

#include "core/metrics.h"
#include "experiments/run_directory.h"
#include "training/trainer.h"

namespace logodds {

/// A trainer whose metrics, checkpoints and divergences go to a run directory.
class RunTraining {
 public:
  /// Throws Error where the pack cannot be trained so, before anything is written. `events` are told as the Trainer's
  /// are; its `checkpoint` and `diverged` stay empty.
  RunTraining(const TrainerOptions& options, Pack pack, TrainerEvents events);
  RunTraining(const RunTraining&) = delete;
  RunTraining& operator=(const RunTraining&) = delete;

  /// Where it goes, before the first step: continued from a checkpoint of this directory, or begun anew. Metrics behind
  /// the checkpoint are cut off. `label` names run r.
  void write_to(const RunDirectory& directory, const std::optional<Checkpoint>& start,
                std::function<std::string(size_t run)> label);

  Trainer& trainer() { return *trainer_; }

 private:
  void save(Checkpoint checkpoint);

  TrainerOptions options_;
  std::optional<RunDirectory> directory_;
  std::optional<MetricsFile> metrics_;
  std::function<std::string(size_t run)> label_;
  std::unique_ptr<Trainer> trainer_;
};

}  // namespace logodds
