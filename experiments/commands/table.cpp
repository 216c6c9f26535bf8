#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/files.h"
#include "core/text.h"
#include "experiments/commands/commands.h"
#include "experiments/evaluated_runs.h"
#include "experiments/report/csv.h"
#include "experiments/report/sweep_table.h"
#include "experiments/report/tensorboard.h"
#include "experiments/sweep_directory.h"

namespace logodds {

namespace {

namespace fs = std::filesystem;

struct Arguments {
  std::vector<std::string> paths;
  bool metrics = false;
  bool summary = false;
  bool vectors = false;
  std::vector<std::string> columns;
  std::string out;
  std::string tensorboard;
};

/// Every evaluation of every run, with the values of its axes: of a run directory in the order of the steps, of a sweep
/// run after run.
std::vector<Row> evaluations(const std::string& path) {
  const auto runs = evaluated_runs(path);
  std::vector<Row> rows;
  const auto add = [&](const EvaluatedRun& run, const Row& metrics) {
    Row row{{"directory", run.directory.string()}};
    for (const auto& [key, value] : run.values) row[key] = value;
    row.update(metrics);
    rows.push_back(std::move(row));
  };
  if (SweepDirectory::is_one(path)) {
    for (const auto& run : runs) {
      for (const auto& metrics : run.rows) add(run, metrics);
    }
    return rows;
  }
  size_t longest = 0;
  for (const auto& run : runs) longest = std::max(longest, run.rows.size());
  for (size_t i = 0; i < longest; ++i) {
    for (const auto& run : runs) {
      if (i < run.rows.size()) add(run, run.rows[i]);
    }
  }
  return rows;
}

std::vector<Row> rows_of(const std::string& path, const Arguments& arguments) {
  if (!SweepDirectory::is_one(path)) {
    if (arguments.summary) throw Error(path + ": --summary is for sweeps, and this is no sweep");
    return evaluations(path);
  }
  if (arguments.metrics) return evaluations(path);
  const SweepDirectory directory(path);
  const Sweep sweep = Sweep::from_file((fs::path(path) / "sweep.yaml").string());
  const auto table = directory.table(sweep);
  return arguments.summary ? summary(sweep, table) : table;
}

/// A sweep's summary for people: some of its columns, settings first.
void print_columns(const Arguments& arguments) {
  for (const auto& path : arguments.paths) {
    const auto rows = rows_of(path, arguments);
    const Sweep sweep = Sweep::from_file((fs::path(path) / "sweep.yaml").string());
    std::vector<std::string> settings;
    for (const auto& key : sweep.keys()) {
      if (key != "seed") settings.push_back(key);
    }
    for (const auto& column : arguments.columns) {
      std::vector<std::string> names;
      for (const auto& [name, value] : rows.front().items()) {
        if (!name.ends_with("_low") && !name.ends_with("_high")) names.push_back(name);
      }
      if (std::ranges::count(names, column) == 0) {
        throw Error(path + ": there is no column '" + column + "'" + suggestion(column, names));
      }
    }
    std::cout << columns_text(settings, rows, arguments.columns) << std::flush;
  }
}

void print_table(const Arguments& arguments) {
  if (!arguments.columns.empty()) return print_columns(arguments);
  if (!arguments.tensorboard.empty()) {
    for (const auto& path : arguments.paths) {
      const fs::path name = fs::absolute(path).lexically_normal();
      const fs::path last = name.has_filename() ? name.filename() : name.parent_path().filename();
      write_events(evaluated_runs(path), fs::path(arguments.tensorboard) / last, arguments.vectors);
    }
    return;
  }
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
  command
      ->add_option("--columns", arguments->columns,
                   "Of a summary these columns alone, by commas, as a table to read: memorisation.stored,test_loss")
      ->delimiter(',')
      ->needs(by_setting);
  command->add_flag("--vectors", arguments->vectors, "Figures per circuit, too, as NAME[0], NAME[1], …");
  auto* out = command->add_option("-o,--out", arguments->out, "Write to this file instead of the terminal");
  command
      ->add_option(
          "--tensorboard", arguments->tensorboard,
          "Write event files for TensorBoard into this directory instead of CSV, every evaluation of every run")
      ->excludes(out)
      ->excludes(by_setting);
  command->callback([arguments] { print_table(*arguments); });
}

}  // namespace logodds
