#include "experiments/evaluated_runs.h"

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/log.h"
#include "experiments/sweep_directory.h"

namespace logodds {

namespace {

std::vector<EvaluatedRun> of_run_directory(const RunDirectory& directory) {
  const Experiment experiment = directory.experiment();
  const RunAxes& axes = experiment.options().runs;
  std::vector<EvaluatedRun> runs(experiment.run_count());
  for (size_t run = 0; run < runs.size(); ++run) {
    runs[run] = {.directory = directory.path(), .run = run, .budget_steps = experiment.options().training.steps};
    for (size_t axis = 0; axis < axes.axes.size(); ++axis) {
      const auto& [key, values] = axes.axes[axis];
      runs[run].values.emplace_back(key, values[axes.index(axis, run)].value);
    }
  }
  for (auto& row : read_metrics(directory.metrics_path())) {
    const auto run = row.value("run", size_t{0});
    if (run < runs.size()) runs[run].rows.push_back(std::move(row));
  }
  return runs;
}

std::vector<EvaluatedRun> of_sweep(const Sweep& sweep, const SweepDirectory& directory) {
  const auto keys = sweep.keys();
  std::vector<EvaluatedRun> runs;
  for (const auto& pack : sweep.packs()) {
    std::vector<std::vector<Row>> metrics;
    try {
      metrics = directory.metrics(pack);
    } catch (const Error& error) {
      spdlog::error("{}", error.what());
    }
    for (size_t run = 0; run < metrics.size(); ++run) {
      EvaluatedRun& added = runs.emplace_back(EvaluatedRun{.directory = directory.run_path(pack),
                                                           .run = run,
                                                           .budget_steps = pack.experiment.options().training.steps,
                                                           .rows = std::move(metrics[run])});
      for (size_t i = 0; i < keys.size(); ++i) added.values.emplace_back(keys[i], pack.values[run][i]);
    }
  }
  return runs;
}

}  // namespace

std::string EvaluatedRun::label(bool with_seed) const {
  std::string label;
  for (const auto& [key, value] : values) {
    if (key == "seed" && !with_seed) continue;
    label += (label.empty() ? "" : ", ") + (key == "directory" ? "" : key.substr(key.rfind('.') + 1) + " ") + value;
  }
  if (!label.empty() || !with_seed) return label;
  return rows.empty() ? "run " + std::to_string(run) : "seed " + rows.front().value("seed", Row(0)).dump();
}

std::vector<EvaluatedRun> evaluated_runs(const std::filesystem::path& path) {
  if (!SweepDirectory::is_one(path)) return of_run_directory(RunDirectory::open(path));
  return of_sweep(Sweep::from_file((path / "sweep.yaml").string()), SweepDirectory(path));
}

}  // namespace logodds
