#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "experiments/run_directory.h"
#include "models/circuits/circuits.h"
#include "training/hooks/logit_decomposition.h"
#include "training/samplers/learning_coefficient.h"

namespace logodds {

/// One run in float64 on examples of its task: what evidence is computed from.
struct Subject {
  const Model& model;
  Parameters parameters;
  Tensor inputs_NT;
  Tensor logits_NV;
  Tensor targets_N;
  Tensor truth_N;                                    ///< the classes before `random_labels` changed some
  std::vector<std::pair<std::string, Tensor>> sets;  ///< which of them: "all"; "train", "test" where known
  Tensor numbers_N;                                  ///< their numbers in the task, ascending
  Tensor reference_KF;                               ///< features: at most 64 training examples; else undefined
  const Group* group = nullptr;                      ///< which the classes form, where that is known

  Observed observed() const { return {model, parameters, inputs_NT, logits_NV, reference_KF, group}; }

  /// Which of its examples has this number in the task.
  int64_t position(int64_t number) const;
};

/// Trained weights looked at from outside: the runs of a run directory, or a weights file.
class Inspection {
 public:
  /// A run directory at its newest usable checkpoint, or at the one of `step` when it is not negative.
  Inspection(const RunDirectory& directory, int64_t step);

  /// Weights trained elsewhere (experiments/weights_file.h) for the task and the model of a configuration; `split`
  /// names a text file of training inputs, or is empty where the split is not known.
  Inspection(const std::filesystem::path& weights, const Experiment& experiment, const std::filesystem::path& split);

  /// Of the checkpoint; none for a weights file.
  std::optional<int64_t> step() const { return step_; }
  size_t run_count() const { return experiment_.run_count(); }
  std::string label(size_t run) const;

  /// The figures of a run: loss, accuracy and the columns of logit_decomposition, logit_bloat and weight_norms, as in
  /// the metrics file (changes since the last observation left out), with the run's label.
  Row summary(size_t run) const;

  /// Names of the circuits, in the order of the vectors in `summary`.
  std::vector<std::string> circuit_labels(size_t run) const;

  /// On every example; or on at most `most` evenly spaced ones of each of training and test set, and on those of
  /// `with`.
  Subject subject(size_t run, std::optional<int64_t> most = {}, const std::vector<int64_t>& with = {}) const;

  /// In the run's own dtype; the Inspection must outlive it.
  SampledRun sampled(size_t run, const SamplingOptions& options) const;

  /// The decomposition of the run's own hook, or the default.
  const LogitDecomposition::Options& decomposition() const { return decomposition_; }

  /// An input's number among the examples, and the input in words.
  int64_t find(const std::vector<int64_t>& input) const { return task_->find(input); }
  std::string describe(const std::vector<int64_t>& input) const { return task_->describe(input); }

  /// What generates the run's examples, where that is known exactly; else empty.
  std::unique_ptr<World> world(size_t run) const { return task_->world(run, pack_.seeds[run]); }

  /// Whether the inputs are features, not tokens.
  bool features() const { return pack_.data.inputs.is_floating_point(); }

  NamedTensors weights(size_t run) const { return pack_.parameters.run(static_cast<int64_t>(run)); }
  const Experiment& experiment() const { return experiment_; }

 private:
  explicit Inspection(const Experiment& experiment);
  Snapshot snapshot(const Parameters& one, size_t run) const;

  Experiment experiment_;
  std::unique_ptr<Task> task_;
  Pack pack_;
  std::optional<int64_t> step_;
  std::string source_;                         ///< the weights file; empty for a run directory
  LogitDecomposition::Options decomposition_;  ///< the run's own, or the defaults
};

}  // namespace logodds
