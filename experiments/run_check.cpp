#include "experiments/run_check.h"

#include <nlohmann/json.hpp>
#include <optional>

#include "core/error.h"
#include "core/files.h"
#include "core/manifest.h"
#include "experiments/run_directory.h"
#include "training/trainer.h"

namespace logodds {

namespace fs = std::filesystem;

namespace {

/// Collects what is thrown, and goes on.
class Collector {
 public:
  Collector(const fs::path& run, std::vector<std::string>& problems) : run_(run.string()), problems_(problems) {}

  template <class What>
  void operator()(const fs::path& file, const What& what) const {
    try {
      what();
    } catch (const Error& error) {
      const std::string message = error.what();
      problems_.push_back(message.starts_with(run_) ? message : file.string() + ": " + message);
    } catch (const std::exception& error) {
      problems_.push_back(file.string() + ": " + error.what());
    }
  }

 private:
  std::string run_;
  std::vector<std::string>& problems_;
};

size_t check_metrics(const fs::path& path, const std::optional<Trainer>& trainer) {
  const auto rows = read_metrics(path);
  std::pair<int64_t, int64_t> last{-1, -1};
  for (size_t i = 0; i < rows.size(); ++i) {
    const std::string where = path.string() + ":" + std::to_string(i + 1) + ": ";
    const std::pair now{rows[i]["step"].get<int64_t>(), rows[i].value("run", int64_t{0})};
    if (now <= last) throw io_error(where + "is not behind the line before it, by step and run");
    if (trainer && now.second >= trainer->pack().parameters.runs()) {
      throw io_error(where + "belongs to a run that the configuration does not have");
    }
    last = now;
  }
  return rows.size();
}

void check_checkpoint(const RunDirectory& run, int64_t step, std::optional<Trainer>& trainer, RunCheck& check) {
  const auto found = run.checkpoints().problems(step);
  check.problems.insert(check.problems.end(), found.begin(), found.end());
  if (!found.empty()) return;
  const fs::path path = run.checkpoints().path_of(step);
  const Checkpoint checkpoint = run.checkpoints().load(step);
  if (trainer) trainer->restore(checkpoint);
  const auto bytes = checkpoint.numbers.value("metrics_bytes", uint64_t{0});
  const std::string stated = checkpoint.numbers.value("metrics_sha256", "");
  if (stated.empty()) {
    check.notes.push_back((path / "state.json").string() + ": has no hash of the metrics (of an earlier version)");
  } else if (metrics_sha256(run.metrics_path(), bytes) != stated) {
    throw io_error(run.metrics_path().string() + ": is damaged before byte " + std::to_string(bytes) +
                   ": its SHA-256 is not the one in checkpoint " + std::to_string(step));
  }
}

/// What restores checkpoints to see whether they fit the configuration; none where this machine lacks the device.
std::optional<Trainer> trainer_of(const Experiment& experiment, RunCheck& check) {
  try {
    experiment.refuse_missing_device();
  } catch (const Error& error) {
    check.notes.push_back(std::string("checkpoints are not held against the configuration: ") + error.what());
    return std::nullopt;
  }
  return std::optional<Trainer>(std::in_place, experiment.options().training, experiment.assemble(), TrainerEvents());
}

}  // namespace

RunCheck check_run(const fs::path& path) {
  const RunDirectory run = RunDirectory::open(path);
  RunCheck check;
  const Collector collect(path, check.problems);
  const auto hashes = [&](const fs::path& directory) {
    for (auto& problem : manifest_problems(directory)) check.problems.push_back(std::move(problem));
  };
  if (LockFile::held(path / "lock")) {
    check.notes.push_back(path.string() + ": is being trained; what is written just now may look damaged");
  }
  if (fs::exists(path / "manifest.json")) {
    hashes(path);
  } else {
    check.notes.push_back((path / "config.yaml").string() + ": has no hash (the run was begun by an earlier version)");
  }
  std::optional<Trainer> trainer;
  collect(path / "config.yaml", [&] { trainer = trainer_of(run.experiment(), check); });
  collect(run.metrics_path(), [&] { check.rows = check_metrics(run.metrics_path(), trainer); });
  for (const int64_t step : run.checkpoints().named()) {
    ++check.checkpoints;
    collect(run.checkpoints().path_of(step), [&] { check_checkpoint(run, step, trainer, check); });
  }
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(path / "diverged", none)) hashes(entry.path());
  for (const auto& entry : fs::recursive_directory_iterator(path)) {
    const std::string kind = entry.path().extension().string();
    if (kind == ".partial")
      check.notes.push_back(entry.path().string() + ": is left of an interruption; it is removed on --resume");
    if (kind == ".damaged") check.notes.push_back(entry.path().string() + ": was set aside, and is not used");
  }
  return check;
}

}  // namespace logodds
