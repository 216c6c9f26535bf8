#include "experiments/report/material.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "experiments/report/csv.h"
#include "experiments/report/table.h"

namespace logodds {

namespace {

constexpr size_t kDistinctRuns = 7;     ///< so many runs of one setting have colours of their own
constexpr size_t kMostCells = 1500000;  ///< of a figure's CSV
constexpr size_t kMostSteps = 40;       ///< of a slider

}  // namespace

Material::Material(const std::vector<std::string>& paths, size_t look_into, std::vector<std::vector<int64_t>> inputs)
    : inputs_(std::move(inputs)) {
  for (const auto& path : paths) {
    for (auto& run : evaluated_runs(path)) {
      if (run.rows.empty()) continue;
      if (paths.size() > 1) run.values.emplace(run.values.begin(), "directory", path);
      runs_.push_back(std::move(run));
    }
  }
  if (runs_.empty()) throw io_error(paths.front() + ": has no evaluation yet");
  for (const auto& run : runs_) {
    const auto setting = run.setting();
    const auto found = std::ranges::find(settings_, setting);
    setting_of_run_.push_back(static_cast<size_t>(found - settings_.begin()));
    if (found == settings_.end()) settings_.push_back(setting);
    for (const auto& row : run.rows) {
      for (const auto& [name, value] : row.items()) {
        if (!value.is_null()) columns_[name] = value.is_number();
      }
    }
  }
  choose(look_into);
}

void Material::choose(size_t look_into) {
  std::vector<size_t> order, seen(settings_.size());
  for (size_t r = 0; r < runs_.size(); ++r) order.push_back(seen[setting_of_run_[r]]++);
  for (size_t turn = 0; turn < runs_.size(); ++turn) {
    for (size_t r = 0; r < runs_.size(); ++r) {
      if (order[r] == turn && chosen_.size() < look_into) chosen_.push_back(r);
    }
  }
  std::ranges::sort(chosen_);
}

std::vector<size_t> Material::all() const {
  std::vector<size_t> all;
  for (size_t r = 0; r < runs_.size(); ++r) all.push_back(r);
  return all;
}

std::vector<std::string> Material::chosen_labels() const {
  std::vector<std::string> labels;
  for (const size_t r : chosen_) labels.push_back(runs_[r].label());
  return labels;
}

Look Material::look(size_t r, const std::string& style) const {
  const std::string label = runs_[r].label();
  if (settings_.size() > 1) return {settings_[setting_of_run_[r]], label, static_cast<int>(setting_of_run_[r]), style};
  if (runs_.size() <= kDistinctRuns) return {label, label, static_cast<int>(r), style};
  return {"all " + std::to_string(runs_.size()) + " runs", label, 0, style};
}

Points Material::column(size_t r, const std::string& name) const {
  Points points;
  for (const auto& row : runs_[r].rows) {
    const auto found = row.find(name);
    if (found != row.end()) points.emplace_back(row.value("step", 0.0), number(row, name));
  }
  return points;
}

std::vector<std::string> Material::scalar_columns() const {
  std::vector<std::string> names;
  for (const auto& [name, scalar] : columns_) {
    if (scalar) names.push_back(name);
  }
  return names;
}

void Material::put_csv(ReportFigure& figure, const std::vector<size_t>& runs,
                       const std::vector<std::string>& columns) const {
  size_t cells = 0;
  std::vector<Row> rows;
  const auto holds = [&](const Row& row) {
    return std::ranges::any_of(columns, [&](const auto& column) { return row.contains(column); });
  };
  for (const size_t r : runs) {
    for (const auto& row : runs_[r].rows) {
      for (const auto& column : columns) {
        const auto found = row.find(column);
        if (found != row.end()) cells += std::max<size_t>(1, found->size());
      }
    }
  }
  const size_t every = cells / kMostCells + 1;
  for (const size_t r : runs) {
    size_t observation = 0;
    for (const auto& row : runs_[r].rows) {
      if (!holds(row) || observation++ % every != 0) continue;
      Row kept;
      for (const auto& [key, value] : runs_[r].values) kept[key] = value;
      for (const char* name : {"step", "run", "seed"}) {
        if (row.contains(name)) kept[name] = row.at(name);
      }
      for (const auto& column : columns) {
        if (row.contains(column)) kept[column] = row.at(column);
      }
      rows.push_back(std::move(kept));
    }
  }
  figure.csv = to_csv(rows, /*vectors=*/true);
  if (every > 1) {
    figure.csv_note = "every " + std::to_string(every) +
                      "th evaluation; all are in what logodds table --vectors writes of the same directory";
  }
}

std::shared_ptr<const Inspection> Material::weights(size_t r, std::optional<int64_t> step) const {
  const RunDirectory directory = RunDirectory::open(runs_[r].directory);
  if (step) return std::make_shared<Inspection>(directory, *step);
  auto& newest = newest_[directory.path().string()];
  if (!newest) newest = std::make_shared<Inspection>(directory, -1);
  return newest;
}

std::vector<int64_t> Material::steps(size_t r) const {
  const auto all = RunDirectory::open(runs_[r].directory).checkpoints().steps();
  if (all.size() <= kMostSteps) return all;
  std::vector<int64_t> some;  // evenly, the last among them
  for (size_t i = 1; i <= kMostSteps; ++i) some.push_back(all[i * all.size() / kMostSteps - 1]);
  return some;
}

}  // namespace logodds
