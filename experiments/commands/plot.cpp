#include "experiments/report/plot.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/text.h"
#include "experiments/commands/commands.h"
#include "experiments/run_directory.h"

namespace logodds {

namespace {

/// The curves of one metrics column, one per run.
std::vector<Curve> curves_of(const std::vector<Row>& rows, const Experiment& experiment, const std::string& column) {
  std::map<size_t, Curve> curves;
  for (const auto& row : rows) {
    const auto value = row.find(column);
    if (value == row.end() || !value->is_number()) continue;
    const auto run = row.value("run", size_t{0});
    if (run >= experiment.run_count()) continue;
    curves[run].label = experiment.run_label(run);
    curves[run].points.emplace_back(row.value("step", 0.0), value->get<double>());
  }
  std::vector<Curve> list;
  for (auto& [run, curve] : curves) list.push_back(std::move(curve));
  return list;
}

std::vector<std::string> scalar_columns(const std::vector<Row>& rows) {
  std::vector<std::string> names;
  for (const auto& row : rows) {
    for (const auto& [name, value] : row.items()) {
      if (value.is_number() && std::ranges::count(names, name) == 0) names.push_back(name);
    }
  }
  return names;
}

void plot_run(const std::string& path, const std::vector<std::string>& columns) {
  const RunDirectory directory = RunDirectory::open(path);
  const Experiment experiment = directory.experiment();
  const auto rows = read_metrics(directory.metrics_path());
  if (rows.empty()) throw io_error(directory.metrics_path().string() + ": has no evaluation yet");
  for (const auto& column : columns) {
    const auto curves = curves_of(rows, experiment, column);
    if (curves.empty())
      throw Error(directory.metrics_path().string() + ": has no column '" + column + "'" +
                  suggestion(column, scalar_columns(rows)));
    const bool log_y = column.find("loss") != std::string::npos || column.find("rms") != std::string::npos;
    std::cout << plot(column + (log_y ? " (logarithmic) against step" : " against step"), curves, log_y);
    for (size_t i = 0; i < curves.size(); ++i)
      std::cout << "           " << static_cast<char>('A' + i % 26) << "  " << curves[i].label << "\n";
    std::cout << "\n";
  }
}

}  // namespace

void add_plot(CLI::App& app) {
  auto* command = app.add_subcommand("plot", "Draw columns of a run's metrics in the terminal");
  auto path = std::make_shared<std::string>();
  auto columns = std::make_shared<std::vector<std::string>>();
  *columns = {"test_accuracy", "test_loss"};
  command->add_option("RUN", *path, "Run directory")->required();
  command->add_option("COLUMN", *columns, "Columns of metrics.jsonl (default test_accuracy test_loss)");
  command->callback([path, columns] { plot_run(*path, *columns); });
}

}  // namespace logodds
