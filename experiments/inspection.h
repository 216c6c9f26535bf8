#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "experiments/run_directory.h"
#include "training/hooks/logit_decomposition.h"

namespace logodds {

/// One run of a run directory at one of its checkpoints, looked at from outside.
class Inspection {
 public:
  /// The newest usable checkpoint, or the one of `step` when it is not negative.
  Inspection(const RunDirectory& directory, int64_t step);

  int64_t step() const { return checkpoint_.step; }
  size_t run_count() const { return experiment_.run_count(); }
  std::string label(size_t run) const { return experiment_.run_label(run); }

  /// The figures of a run: loss, accuracy and the columns of logit_decomposition, logit_bloat and weight_norms, as in
  /// the metrics file (changes since the last observation left out), with the run's label.
  Row summary(size_t run) const;

  /// Names of the circuits, in the order of the vectors in `summary`.
  std::vector<std::string> circuit_labels(size_t run) const;

  /// Every circuit's evidence on one input: for the right answer against the runner-up.
  struct CircuitEvidence {
    std::string label;
    double evidence;  ///< nats
    bool key;
  };
  struct Evidence {
    std::string question;
    int64_t target;
    int64_t runner_up;
    double margin;                          ///< of the model's own logits, nats
    double probability;                     ///< the model's, of the target
    double sum;                             ///< of the circuits, nats
    double completeness_error;              ///< over all inputs
    std::vector<CircuitEvidence> circuits;  ///< key circuits first, each group by falling evidence
  };
  Evidence evidence(size_t run, const std::vector<int64_t>& input) const;

 private:
  Snapshot snapshot(const Parameters& one, size_t run) const;

  Experiment experiment_;
  std::unique_ptr<Task> task_;
  Pack pack_;
  Checkpoint checkpoint_;
  LogitDecomposition::Options decomposition_;  ///< the run's own, or the defaults
};

}  // namespace logodds
