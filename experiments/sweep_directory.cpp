#include "experiments/sweep_directory.h"

#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/files.h"
#include "core/json.h"
#include "core/log.h"
#include "core/text.h"

namespace logodds {

namespace fs = std::filesystem;

namespace {

/// Whether a directory holds nothing, or no more than a process left that was killed while it wrote sweep.yaml.
bool holds_nothing(const fs::path& path) {
  std::error_code error;
  bool nothing = fs::is_directory(path, error);
  for (const auto& entry : fs::directory_iterator(path, error)) {
    nothing = nothing && entry.path().filename() == "sweep.yaml.partial";
  }
  return nothing && !error;
}

}  // namespace

void SweepDirectory::prepare(const Sweep& sweep) const {
  std::error_code error;
  if (fs::exists(path_, error) && !is_one(path_) && !holds_nothing(path_)) {
    throw io_error(path_.string() + ": exists already and is no sweep; choose another place with --out DIR");
  }
  fs::create_directories(path_, error);
  if (error) throw io_error(path_.string() + ": cannot create directory: " + error.message());
  for (const auto& pack : sweep.packs()) {
    if (state(pack) != State::waiting) RunDirectory::open(run_path(pack)).refuse_other_configuration(pack.experiment);
  }
  const fs::path file = path_ / "sweep.yaml";
  const std::string text = sweep.resolved();
  const auto written = [&] { return fs::exists(file) && read_file(file) == text; };
  if (written()) return;
  try {
    write_file_atomically(file, text);
  } catch (const Error&) {
    if (!written()) throw;  // another shard of the same sweep was quicker
  }
}

SweepDirectory::State SweepDirectory::state(const SweepPack& pack) const {
  const fs::path path = run_path(pack);
  if (!fs::exists(path / "config.yaml")) return State::waiting;
  if (const auto failed = failure(pack)) {
    return failed->exit_code == static_cast<int>(ExitCode::diverged) ? State::diverged : State::failed;
  }
  const auto steps = CheckpointDirectory(path / "checkpoints").steps();
  return !steps.empty() && steps.back() >= pack.experiment.options().training.steps ? State::finished : State::begun;
}

std::optional<SweepDirectory::Failure> SweepDirectory::failure(const SweepPack& pack) const {
  const fs::path path = run_path(pack) / "failure.json";
  if (!fs::exists(path)) return std::nullopt;
  try {
    const Row json = parse_json(read_file(path), path.string());
    return Failure{member_or(json, "exit_code", static_cast<int>(ExitCode::internal)),
                   member_or(json, "message", std::string())};
  } catch (const Error& error) {
    return Failure{static_cast<int>(error.code()), error.what()};
  }
}

void SweepDirectory::record(const SweepPack& pack, const Failure& failure) const {
  const Row json{{"exit_code", failure.exit_code}, {"message", failure.message}};
  write_file_atomically(run_path(pack) / "failure.json", to_json(json) + "\n");
}

void SweepDirectory::forget_failure(const SweepPack& pack) const {
  std::error_code ignored;
  fs::remove(run_path(pack) / "failure.json", ignored);
}

std::optional<int64_t> SweepDirectory::last_step(const SweepPack& pack) const {
  // The end of the file is enough: a row begins {"step":N.
  constexpr int64_t kTail = 1 << 18;
  std::ifstream file(run_path(pack) / "metrics.jsonl", std::ios::binary | std::ios::ate);
  if (!file) return std::nullopt;
  const int64_t size = file.tellg(), from = std::max<int64_t>(0, size - kTail);
  std::string tail(static_cast<size_t>(size - from), '\0');
  file.seekg(from);
  file.read(tail.data(), size - from);
  const std::string key = "{\"step\":";
  const size_t at = tail.rfind(key);
  if (at == std::string::npos) return std::nullopt;
  const size_t begin = at + key.size();
  return parse_integer(tail.substr(begin, tail.find_first_not_of("0123456789", begin) - begin));
}

size_t SweepDirectory::diverged_runs(const SweepPack& pack) const {
  size_t count = 0;
  for (size_t run = 0; run < pack.values.size(); ++run) count += RunDirectory::diverged(run_path(pack), run) ? 1 : 0;
  return count;
}

std::vector<std::vector<Row>> SweepDirectory::metrics(const SweepPack& pack) const {
  std::vector<std::vector<Row>> runs(pack.values.size());
  const fs::path path = run_path(pack) / "metrics.jsonl";
  if (!fs::exists(path)) return runs;
  for (auto& row : read_metrics(path)) {
    const auto run = row.value("run", size_t{0});
    if (run < runs.size() && row.value("step", int64_t{0}) <= pack.experiment.options().training.steps) {
      runs[run].push_back(std::move(row));
    }
  }
  return runs;
}

std::string name_of(SweepDirectory::State state) {
  switch (state) {
    case SweepDirectory::State::waiting:
      return "waiting";
    case SweepDirectory::State::begun:
      return "begun";
    case SweepDirectory::State::finished:
      return "finished";
    case SweepDirectory::State::diverged:
      return "diverged";
    case SweepDirectory::State::failed:
      return "failed";
  }
  return "";
}

namespace {

Row number_or_null(const std::optional<int64_t>& value) { return value ? Row(*value) : Row(nullptr); }

Row table_row(const std::vector<std::string>& keys, const SweepPack& pack, size_t run, const std::string& state,
              const std::vector<Row>& metrics) {
  Row row;
  for (size_t i = 0; i < keys.size(); ++i) row[keys[i]] = pack.values[run][i];
  const Grokking found = grokking(metrics);
  row["directory"] = pack.name;
  row["run"] = run;
  row["state"] = state;
  row["budget_steps"] = pack.experiment.options().training.steps;
  row["last_step"] = metrics.empty() ? Row(nullptr) : metrics.back().at("step");
  row["grokked"] = found.test_step.has_value();
  row["train_grok_step"] = number_or_null(found.train_step);
  row["test_grok_step"] = number_or_null(found.test_step);
  row["grok_gap_steps"] = number_or_null(found.gap());
  if (metrics.empty()) return row;
  for (const auto& [column, value] : metrics.back().items()) {
    if (column != "step" && column != "run" && column != "seed" && !value.is_array()) row[column] = value;
  }
  return row;
}

/// Whether a column of the table is a figure of an evaluation.
bool is_figure(const std::string& column, const Row& value) {
  for (const char* other : {"seed", "run", "last_step", "train_grok_step"}) {
    if (column == other) return false;
  }
  return value.is_number() || value.is_null();
}

double infinite_unless(const Row& row, const std::string& column) {
  const auto found = row.find(column);
  return found != row.end() && found->is_number() ? found->get<double>() : std::numeric_limits<double>::infinity();
}

/// The bloat index of a row: -∞ where its temperature is 0, every example being right; none where it is undefined.
std::optional<double> figure_of(const Row& row, const std::string& column) {
  const auto found = row.find(column);
  if (found == row.end()) return std::nullopt;
  if (found->is_number()) return found->get<double>();
  const bool all_right = column == "logit_bloat.index" && row.value("logit_bloat.temperature_test", Row()) == Row(0.0);
  return all_right ? std::optional(-std::numeric_limits<double>::infinity()) : std::nullopt;
}

void put(Row& row, const std::string& name, const std::vector<double>& values) {
  const MedianInterval found = median_interval(values);
  row[name] = found.median;
  row[name + "_low"] = found.low;
  row[name + "_high"] = found.high;
}

Row summary_row(const std::vector<const Row*>& runs, Row row) {
  size_t finished = 0, grokked = 0;
  std::vector<double> steps, gaps;
  for (const Row* run : runs) {
    finished += run->at("state") == "finished" ? 1 : 0;
    grokked += run->at("grokked").get<bool>() ? 1 : 0;
    // A run that is waiting, unfinished or failed says nothing about grokking; one that diverged did not grok.
    if (run->at("state") != "finished" && run->at("state") != "diverged") continue;
    steps.push_back(infinite_unless(*run, "test_grok_step"));
    gaps.push_back(infinite_unless(*run, "grok_gap_steps"));
  }
  row["runs"] = runs.size();
  row["finished"] = finished;
  row["grokked"] = grokked;
  row["budget_steps"] = runs.front()->at("budget_steps");
  put(row, "test_grok_step", steps);
  put(row, "grok_gap_steps", gaps);
  for (const Row* with_columns : runs) {  // one that failed has none
    for (const auto& [column, value] : with_columns->items()) {
      if (row.contains(column) || !is_figure(column, value)) continue;
      std::vector<double> values;
      for (const Row* run : runs) {
        const auto found = figure_of(*run, column);
        if (found && run->at("state") == "finished") values.push_back(*found);
      }
      put(row, column, values);
    }
  }
  return row;
}

}  // namespace

std::vector<Row> SweepDirectory::table(const Sweep& sweep) const {
  std::vector<Row> rows;
  const auto keys = sweep.keys();
  for (const auto& pack : sweep.packs()) {
    std::string state_name = name_of(state(pack));
    std::vector<std::vector<Row>> runs(pack.values.size());
    try {
      runs = metrics(pack);
    } catch (const Error& error) {
      spdlog::error("{}", error.what());
      state_name = name_of(State::failed);
    }
    for (size_t run = 0; run < runs.size(); ++run) {
      const bool diverged = RunDirectory::diverged(run_path(pack), run);
      rows.push_back(table_row(keys, pack, run, diverged ? name_of(State::diverged) : state_name, runs[run]));
    }
  }
  return rows;
}

std::vector<Row> summary(const Sweep& sweep, const std::vector<Row>& table) {
  struct SameSetting {
    Row setting;
    std::vector<const Row*> runs;
  };
  std::vector<SameSetting> groups;
  for (const auto& run : table) {
    Row setting = Row::object();
    for (const auto& key : sweep.keys()) {
      if (key != "seed") setting[key] = run.at(key);
    }
    auto group = std::ranges::find(groups, setting, &SameSetting::setting);
    if (group == groups.end()) group = groups.insert(group, SameSetting{.setting = setting, .runs = {}});
    group->runs.push_back(&run);
  }
  std::vector<Row> rows;
  for (const auto& [setting, runs] : groups) rows.push_back(summary_row(runs, setting));
  return rows;
}

}  // namespace logodds
