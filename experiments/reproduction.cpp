#include "experiments/reproduction.h"

#include <sys/resource.h>

#include <cmath>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "core/error.h"
#include "core/files.h"
#include "core/json.h"
#include "core/log.h"
#include "core/text.h"
#include "experiments/circuit_report.h"
#include "experiments/sweep_runner.h"
#include "training/grokking.h"

namespace logodds {

namespace fs = std::filesystem;

namespace {

/// A run of a sweep; its network is loaded when a measure asks for it.
class SweepRun : public MeasuredRun {
 public:
  SweepRun(fs::path path, size_t run, std::vector<Row> metrics)
      : path_(std::move(path)), run_(run), metrics_(std::move(metrics)) {}

  const std::vector<Row>& metrics() const override { return metrics_; }

  Row inspected(const std::string& figure) const override {
    const Inspection inspection(RunDirectory::open(path_), -1);
    const Subject subject = inspection.subject(run_);
    const CircuitQuestion question{.circuits = inspection.decomposition().basis,
                                   .cross = std::nullopt,
                                   .drop = {},
                                   .keep = {},
                                   .key_share = inspection.decomposition().key_fve};
    return CircuitReport(subject, question).figure(figure);
  }

 private:
  fs::path path_;
  size_t run_;
  std::vector<Row> metrics_;
};

/// Seconds of core time of the processes that were waited for.
double children_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_CHILDREN, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

Row finite_or_null(double value) { return std::isfinite(value) ? Row(value) : Row(nullptr); }

bool same_value(const std::string& a, const std::string& b) {
  const auto x = parse_real(a), y = parse_real(b);
  return x && y ? *x == *y : a == b;
}

}  // namespace

/// Of a figure's runs, by what tells their settings apart (all keys of the sweep but the seed).
struct Reproduction::Values {
  std::map<std::vector<std::string>, std::vector<double>> by_setting;
  double seen_to = 0;
};

double core_seconds(const fs::path& path) {
  if (!fs::exists(path / "time.json")) return 0;
  return member_or(parse_json(read_file(path / "time.json"), (path / "time.json").string()), "core_seconds", 0.0);
}

Reproduction::Reproduction(const PublishedEntry& entry, fs::path path) : entry_(entry), path_(std::move(path)) {
  Problems problems;
  for (const auto& setting : entry.settings) {
    try {
      settings_.push_back({setting.name, setting.sweep(), SweepDirectory(path_ / setting.name)});
    } catch (const Error& error) {
      problems.add("settings." + setting.name + ": " + error.what());
    }
  }
  problems.throw_if_any();
}

const Reproduction::Setting& Reproduction::setting(const std::string& name) const {
  return *std::ranges::find(settings_, name, &Setting::name);
}

bool Reproduction::trained() const {
  return std::ranges::all_of(settings_, [](const Setting& setting) {
    const auto packs = setting.sweep.packs();
    return std::ranges::all_of(packs, [&](const SweepPack& pack) {
      const auto state = setting.directory.state(pack);
      return state == SweepDirectory::State::finished || state == SweepDirectory::State::diverged;
    });
  });
}

int Reproduction::train(size_t workers, const std::string& command_line) const {
  for (const auto& [name, sweep, directory] : settings_) directory.prepare(sweep);
  for (const auto& [name, sweep, directory] : settings_) {
    const auto threads = static_cast<size_t>(sweep.packs().front().experiment.options().threads);
    const size_t as_many = workers > 0 ? workers : std::max<size_t>(1, usable_cpus() / std::max<size_t>(1, threads));
    spdlog::info("{}: {} runs in {}", name, sweep.run_count(), directory.path().string());
    const double before = children_seconds();
    const auto outcome = SweepRunner(sweep, directory, {}, as_many, command_line).run();
    add_time(children_seconds() - before);
    if (outcome.signal != 0) return 128 + outcome.signal;
  }
  return static_cast<int>(trained() ? ExitCode::ok : ExitCode::incomplete);
}

void Reproduction::add_time(double seconds) const {
  write_file_atomically(path_ / "time.json", Row{{"core_seconds", core_seconds(path_) + seconds}}.dump() + "\n");
}

Reproduction::Values Reproduction::values(const PublishedFigure& figure, const std::string& name) const {
  const auto& [setting_name, sweep, directory] = setting(name);
  const auto keys = sweep.keys();
  for (const auto& [key, value] : figure.where) {
    if (std::ranges::count(keys, key) == 0)
      throw Error("'where' names '" + key + "', which the setting '" + name + "' does not vary" +
                  suggestion(key, keys));
  }
  const auto measure = figure.measure.make<Measure>();
  Values found;
  for (const auto& pack : sweep.packs()) {
    const auto metrics = directory.metrics(pack);
    for (size_t run = 0; run < metrics.size(); ++run) {
      std::vector<std::string> setting;
      bool wanted = !metrics[run].empty();
      for (size_t i = 0; i < keys.size(); ++i) {
        const std::string& value = pack.values[run][i];
        if (keys[i] != "seed") setting.push_back(value);
        for (const auto& [key, asked] : figure.where) wanted = wanted && (key != keys[i] || same_value(value, asked));
      }
      if (!wanted) continue;
      found.by_setting[setting].push_back(measure->of(SweepRun(directory.run_path(pack), run, metrics[run])));
      found.seen_to = std::max(found.seen_to, metrics[run].back().at("step").get<double>());
    }
  }
  if (found.by_setting.empty()) throw Error("'where' leaves no run of the setting '" + name + "'");
  return found;
}

Row Reproduction::row(const PublishedFigure& figure) const {
  Values found = values(figure, figure.setting);
  if (!figure.against.empty()) {
    const Values others = values(figure, figure.against);
    auto other = others.by_setting.begin();
    for (auto& [setting, values] : found.by_setting) {
      if (other == others.by_setting.end() || other->second.size() != values.size())
        throw Error("'against' needs as many runs in '" + figure.against + "' as in '" + figure.setting + "'");
      for (size_t i = 0; i < values.size(); ++i) values[i] /= other->second[i];
      ++other;
    }
  }
  const bool median = figure.take == "median";
  if (median) {  // of all runs
    std::vector<double> all;
    for (const auto& [setting, values] : found.by_setting) all.insert(all.end(), values.begin(), values.end());
    found.by_setting = {{{}, all}};
  }
  Measured best{std::nan(""), std::nan(""), std::nan(""), found.seen_to};
  size_t runs = 0;
  for (auto& [setting, values] : found.by_setting) {
    std::erase_if(values, [](double value) { return std::isnan(value); });
    runs += values.size();
    const MedianInterval interval = median_interval(values);
    const bool better = figure.take == "largest" ? interval.median > best.value : interval.median < best.value;
    if (!std::isnan(best.value) && !better) continue;
    const bool several = values.size() > 1;
    best.value = interval.median;
    best.low = several ? interval.low : std::nan("");
    best.high = several ? interval.high : std::nan("");
  }
  const Verdict verdict = figure.verdict(best);
  Row row{{"what", figure.what},
          {"published", figure.stated},
          {"measured", finite_or_null(best.value)},
          {"low", finite_or_null(best.low)},
          {"high", finite_or_null(best.high)},
          {"runs", runs},
          {"verdict", name_of(verdict)}};
  if (std::isinf(best.value)) row["more_than"] = best.seen_to;
  if (!figure.why.empty()) row["why"] = figure.why;
  if (!figure.reason.empty() && verdict != Verdict::reproduced) row["reason"] = figure.reason;
  return row;
}

Row Reproduction::rows() const {
  Row rows = Row::array();
  Problems problems;
  for (const auto& figure : entry_.figures) {
    try {
      rows.push_back(row(figure));
    } catch (const Error& error) {
      if (error.code() == ExitCode::io) throw;
      problems.add(figure.location.text() + ": " + figure.what + ": " + error.what());
    }
  }
  problems.throw_if_any();
  return rows;
}

Row Reproduction::provenance() const {
  std::set<std::string> commits, machines;
  for (const auto& [name, sweep, directory] : settings_) {
    for (const auto& pack : sweep.packs()) {
      const fs::path file = directory.run_path(pack) / "provenance.json";
      if (!fs::exists(file)) continue;
      const Row json = parse_json(read_file(file), file.string());
      const std::string unknown = "unknown";
      commits.insert(member_or(json, "commit", unknown));
      machines.insert(member_or(json, "processor", member_or(json, "cpu", unknown)));
    }
  }
  return {{"commits", commits}, {"machines", machines}, {"core_seconds", core_seconds(path_)}};
}

}  // namespace logodds
