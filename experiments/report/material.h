#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "experiments/evaluated_runs.h"
#include "experiments/inspection.h"
#include "experiments/report/figure.h"

namespace logodds {

/// What a report is made of: the evaluations of all runs, and the weights of some.
class Material {
 public:
  /// Runs and sweeps; `look_into` of the runs are looked into, one of each setting first. Where several paths are given
  /// a run's path is the first thing that tells it from others. Throws Error.
  Material(const std::vector<std::string>& paths, size_t look_into, std::vector<std::vector<int64_t>> inputs);

  const std::vector<EvaluatedRun>& runs() const { return runs_; }
  /// The numbers of the runs that are looked into, and their labels.
  const std::vector<size_t>& chosen() const { return chosen_; }
  std::vector<std::string> chosen_labels() const;

  /// The look of run r in a figure of all runs: runs of one setting are alike; those of a single setting differ while
  /// they are few.
  Look look(size_t r, const std::string& style = "solid") const;

  /// A column of a run's metrics; NaN where an evaluation has a null. Empty where the run does not have the column.
  Points column(size_t r, const std::string& name) const;
  bool has(const std::string& name) const { return columns_.contains(name); }
  /// All columns of single numbers.
  std::vector<std::string> scalar_columns() const;

  /// The evaluations of `runs` that have any of some columns, with those alone, as CSV; every n-th evaluation where all
  /// would be too much for a page, and a note that says so.
  void put_csv(ReportFigure& figure, const std::vector<size_t>& runs, const std::vector<std::string>& columns) const;
  std::vector<size_t> all() const;

  /// The weights of a run at its newest checkpoint, or at one of its steps. Throws Error where there are none.
  std::shared_ptr<const Inspection> weights(size_t r, std::optional<int64_t> step = {}) const;
  /// The steps of a run's checkpoints, at most 40 of them.
  std::vector<int64_t> steps(size_t r) const;
  /// The inputs that the reader asked for.
  const std::vector<std::vector<int64_t>>& inputs() const { return inputs_; }

 private:
  void choose(size_t look_into);

  std::vector<EvaluatedRun> runs_;
  std::vector<std::string> settings_;   ///< that differ
  std::vector<size_t> setting_of_run_;  ///< into settings_
  std::vector<size_t> chosen_;
  std::map<std::string, bool> columns_;  ///< that hold anything; whether single numbers
  std::vector<std::vector<int64_t>> inputs_;
  mutable std::map<std::string, std::shared_ptr<const Inspection>> newest_;  ///< by run directory
};

}  // namespace logodds
