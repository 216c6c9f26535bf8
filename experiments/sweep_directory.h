#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/metrics.h"
#include "experiments/run_directory.h"
#include "experiments/sweep.h"
#include "training/grokking.h"

namespace logodds {

/// What a sweep leaves on disk:
///   sweep.yaml    the sweep, every axis written out, loadable again
///   NAME/         the run directory of each pack, such as weight_decay=0.1,seed=3; with log.txt, what its process
///                 wrote, and failure.json where it failed
///   table.csv     a line per run; summary.csv a line per setting, medians over the seeds
class SweepDirectory {
 public:
  enum class State { waiting, begun, finished, diverged, failed };
  struct Failure {
    int exit_code;
    std::string message;
  };

  explicit SweepDirectory(std::filesystem::path path) : path_(std::move(path)) {}

  /// Whether there is a sweep.
  static bool is_one(const std::filesystem::path& path) { return std::filesystem::exists(path / "sweep.yaml"); }

  /// Creates the directory, or refuses one that holds something else or other runs under the same names, and writes
  /// sweep.yaml. Throws Error.
  void prepare(const Sweep& sweep) const;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path run_path(const SweepPack& pack) const { return path_ / pack.name; }

  State state(const SweepPack& pack) const;
  std::optional<Failure> failure(const SweepPack& pack) const;
  void record(const SweepPack& pack, const Failure& failure) const;
  void forget_failure(const SweepPack& pack) const;

  /// The step of the last evaluation that was written; none before the first.
  std::optional<int64_t> last_step(const SweepPack& pack) const;

  /// How many runs of a pack diverged so far; all of them where its state is `diverged`.
  size_t diverged_runs(const SweepPack& pack) const;

  /// The rows of a pack's metrics up to its last step, by run; empty where nothing was written.
  std::vector<std::vector<Row>> metrics(const SweepPack& pack) const;

  /// A row per run: the values of the sweep's keys, directory, run, state, budget_steps, last_step, grokked,
  /// train_grok_step, test_grok_step, grok_gap_steps (null where it did not), and the last figure of every column.
  std::vector<Row> table(const Sweep& sweep) const;

 private:
  std::filesystem::path path_;
};

/// "finished", …
std::string name_of(SweepDirectory::State state);

/// A row per setting, that is per group of runs that differ in `seed` alone: how many runs, finished and grokked, and
/// for the step of grokking, the gap and every figure of the last evaluation the median with its interval (NAME,
/// NAME_low, NAME_high; over the runs that have the figure). A step of grokking is infinite where the median run had
/// not grokked.
std::vector<Row> summary(const Sweep& sweep, const std::vector<Row>& table);

}  // namespace logodds
