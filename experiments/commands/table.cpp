#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/files.h"
#include "experiments/commands/commands.h"
#include "experiments/report/csv.h"
#include "experiments/sweep_directory.h"

namespace logodds {

namespace {

namespace fs = std::filesystem;

struct Arguments {
  std::vector<std::string> paths;
  bool metrics = false;
  bool summary = false;
  bool vectors = false;
  std::string out;
};

/// Every evaluation of a run directory, with the values of its own axes.
std::vector<Row> evaluations(const RunDirectory& directory) {
  const Experiment experiment = directory.experiment();
  const RunAxes& runs = experiment.options().runs;
  std::vector<Row> rows;
  for (const auto& metrics : read_metrics(directory.metrics_path())) {
    Row row{{"directory", directory.path().string()}};
    for (size_t axis = 0; axis < runs.axes.size(); ++axis) {
      const auto& [key, values] = runs.axes[axis];
      row[key] = values[runs.index(axis, metrics.value("run", size_t{0}))].value;
    }
    row.update(metrics);
    rows.push_back(std::move(row));
  }
  return rows;
}

/// Every evaluation of every run of a sweep, with the values of its keys.
std::vector<Row> evaluations(const Sweep& sweep, const SweepDirectory& directory) {
  std::vector<Row> rows;
  const auto keys = sweep.keys();
  for (const auto& pack : directory.packs(sweep)) {
    const auto runs = directory.metrics(pack);
    for (size_t run = 0; run < runs.size(); ++run) {
      for (const auto& metrics : runs[run]) {
        Row row{{"directory", directory.run_path(pack).string()}};
        for (size_t i = 0; i < keys.size(); ++i) row[keys[i]] = pack.values[run][i];
        row.update(metrics);
        rows.push_back(std::move(row));
      }
    }
  }
  return rows;
}

std::vector<Row> rows_of(const std::string& path, const Arguments& arguments) {
  if (!SweepDirectory::is_one(path)) {
    if (arguments.summary) throw Error(path + ": --summary is for sweeps, and this is no sweep");
    return evaluations(RunDirectory::open(path));
  }
  const SweepDirectory directory(path);
  const Sweep sweep = Sweep::from_file((fs::path(path) / "sweep.yaml").string());
  if (arguments.metrics) return evaluations(sweep, directory);
  const auto table = directory.table(sweep);
  return arguments.summary ? summary(sweep, table) : table;
}

void print_table(const Arguments& arguments) {
  std::vector<Row> rows;
  for (const auto& path : arguments.paths) {
    for (auto& row : rows_of(path, arguments)) rows.push_back(std::move(row));
  }
  const std::string text = to_csv(rows, arguments.vectors);
  if (arguments.out.empty()) {
    std::cout << text << std::flush;
  } else {
    write_file_atomically(arguments.out, text);
  }
}

}  // namespace

void add_table(CLI::App& app) {
  auto* command = app.add_subcommand("table", "Metrics of runs, or the runs of sweeps, as CSV");
  auto arguments = std::make_shared<Arguments>();
  command
      ->add_option("RUN|SWEEP", arguments->paths,
                   "Run directories: a line per evaluation; directories of sweeps: a line per run")
      ->required();
  command->add_flag("--metrics", arguments->metrics, "Of sweeps, too, a line per evaluation");
  auto* by_setting = command->add_flag("--summary", arguments->summary,
                                       "Of sweeps, a line per setting: medians over the seeds with 95 % intervals");
  by_setting->excludes("--metrics");
  command->add_flag("--vectors", arguments->vectors, "Figures per circuit, too, as NAME[0], NAME[1], …");
  command->add_option("-o,--out", arguments->out, "Write to this file instead of the terminal");
  command->callback([arguments] { print_table(*arguments); });
}

}  // namespace logodds
