#include "experiments/sweep_runner.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <csignal>
#include <nlohmann/json.hpp>
#include <sstream>

#include "core/error.h"
#include "core/files.h"
#include "experiments/report/table.h"

namespace logodds {

namespace fs = std::filesystem;

namespace {

volatile std::sig_atomic_t stop_signal = 0;
volatile std::sig_atomic_t stop_count = 0;
volatile std::sig_atomic_t save_asked = 0;

void on_stop(int signal) {
  stop_signal = signal;
  stop_count = stop_count + 1;
}
void on_save(int) { save_asked = 1; }

/// A run directory that can be continued, whatever an earlier process left of it.
void make_run(const fs::path& path, const SweepPack& pack, const std::string& command_line) {
  if (fs::exists(path / "config.yaml")) return;
  for (const auto& entry : fs::directory_iterator(path)) {
    if (entry.path().filename() != "lock") fs::remove_all(entry.path());
  }
  RunDirectory::create(path, pack.experiment, command_line);
}

/// The last line of a log that says something.
std::string last_line(const fs::path& path) {
  std::error_code error;
  if (!fs::exists(path, error)) return "";
  std::istringstream text(read_file(path));
  std::string line, last;
  while (std::getline(text, line)) {
    if (!line.empty()) last = line;
  }
  return last;
}

}  // namespace

SweepRunner::SweepRunner(const Sweep& sweep, const SweepDirectory& directory, Shard shard, size_t workers,
                         std::string command_line)
    : directory_(directory), command_line_(std::move(command_line)), workers_(workers), worker_count_(workers) {
  for (size_t i = shard.index; i < sweep.packs().size(); i += shard.count) {
    packs_.push_back(sweep.packs()[i]);
  }
  started_.resize(packs_.size());
  for (size_t job = 0; job < packs_.size(); ++job) {
    const auto state = directory_.state(packs_[job]);
    const bool settled = state == SweepDirectory::State::finished || state == SweepDirectory::State::diverged;
    if (settled) {
      ++done_;
      outcome_.diverged += directory_.diverged_runs(packs_[job]);
    } else {
      queue_.push_back(job);
    }
  }
}

SweepRunner::Outcome SweepRunner::run() {
  std::signal(SIGINT, on_stop);
  std::signal(SIGTERM, on_stop);
  std::signal(SIGUSR1, on_save);
  if (done_ > 0) line_.print(fmt::format("{} of {} trainings are done already", done_, packs_.size()));
  while (!workers_.idle() || (!queue_.empty() && stop_signal == 0)) {
    while (!workers_.full() && !queue_.empty() && stop_signal == 0) {
      const size_t job = queue_.front();
      queue_.pop_front();
      attempt(packs_[job], [&] { start(job); });
    }
    if (const auto gone = workers_.wait(std::chrono::milliseconds(100))) {
      attempt(packs_[gone->job], [&] { ended(*gone); });
    }
    pass_signals_on();
    if (line_.due()) show();
  }
  line_.finish();
  outcome_.signal = stop_signal;
  return outcome_;
}

void SweepRunner::attempt(const SweepPack& pack, const std::function<void()>& what) {
  try {
    what();
  } catch (const std::exception& error) {
    ++outcome_.failed;
    line_.print(pack.name + ": failed: " + error.what());
  }
}

void SweepRunner::pass_signals_on() {
  if (save_asked != 0) {
    save_asked = 0;
    workers_.signal_all(SIGUSR1);
  }
  if (stop_count == passed_) return;
  passed_ = stop_count;
  workers_.signal_all(passed_ > 1 ? SIGKILL : SIGTERM);
}

void SweepRunner::start(size_t job) {
  const SweepPack& pack = packs_[job];
  const fs::path path = directory_.run_path(pack);
  std::unique_ptr<LockFile> lock;
  try {
    lock =
        RunDirectory::lock(path, std::chrono::seconds(5));  // the processes of a sweep that was killed are about to end
  } catch (const InUse& in_use) {
    line_.print(std::string(in_use.what()) + "; it is left to that process");
    return;
  }
  make_run(path, pack, command_line_);
  directory_.forget_failure(pack);
  started_[job] = Clock::now();
  workers_.start(job,
                 {"train", (path / "config.yaml").string(), "--resume",
                  "training.steps=" + std::to_string(pack.experiment.options().training.steps)},
                 path / "log.txt", lock->hand_on());
}

void SweepRunner::ended(const Workers::Ended& ended) {
  const SweepPack& pack = packs_[ended.job];
  if (stop_signal != 0 && ended.exit_code > 128) return;  // saved, as it was told to
  ++ended_;
  pack_seconds_ += std::chrono::duration<double>(Clock::now() - started_[ended.job]).count();
  const bool diverged = ended.exit_code == static_cast<int>(ExitCode::diverged);
  // Where some of its runs diverged, the others were trained to the end.
  const bool to_the_end =
      ended.exit_code == 0 || (diverged && directory_.state(pack) == SweepDirectory::State::finished);
  to_the_end ? finished(pack) : failed(pack, ended.exit_code);
}

void SweepRunner::finished(const SweepPack& pack) {
  ++done_;
  ++outcome_.trained;
  const auto runs = directory_.metrics(pack);
  std::vector<Grokking> found;
  for (const auto& rows : runs) found.push_back(grokking(rows));
  const auto grokked = std::ranges::count_if(found, [](const Grokking& g) { return g.test_step.has_value(); });
  runs_ += runs.size();
  grokked_ += static_cast<size_t>(grokked);
  std::string words;
  if (runs.size() > 1) {
    words = fmt::format("{} of {} runs grokked", grokked, runs.size());
  } else if (found[0].test_step) {
    words = fmt::format("grokked at step {}", *found[0].test_step);
    if (found[0].gap()) words += fmt::format(", {} steps after the training set", *found[0].gap());
  } else {
    const auto steps = pack.experiment.options().training.steps;
    words = fmt::format("not grokked in {} steps, test accuracy {}", steps,
                        percent(number(runs[0].back(), "test_accuracy")));
  }
  const size_t diverged = directory_.diverged_runs(pack);
  outcome_.diverged += diverged;
  if (diverged > 0) words += fmt::format(", {} diverged", diverged);
  line_.print(fmt::format("[{}/{}] {}: {}", done_, packs_.size(), pack.name, words));
}

void SweepRunner::failed(const SweepPack& pack, int exit_code) {
  const fs::path log = directory_.run_path(pack) / "log.txt";
  std::string message = last_line(log);
  if (exit_code > 128) message = fmt::format("ended by signal {}", exit_code - 128);
  directory_.record(pack, {exit_code, message});
  const bool diverged = exit_code == static_cast<int>(ExitCode::diverged);
  (diverged ? outcome_.diverged : outcome_.failed) += diverged ? pack.values.size() : 1;
  done_ += diverged ? 1 : 0;
  line_.print(fmt::format("{}: {}: {}", pack.name, diverged ? "diverged" : fmt::format("failed (exit {})", exit_code),
                          message));
}

void SweepRunner::show() {
  std::string running;
  double begun = 0;  // of the trainings under way, the share that is done
  for (const size_t job : workers_.jobs()) {
    const auto steps = packs_[job].experiment.options().training.steps;
    const auto step = directory_.last_step(packs_[job]).value_or(0);
    running += fmt::format(" · {} at step {}/{}", packs_[job].name, step, steps);
    begun += steps > 0 ? static_cast<double>(step) / static_cast<double>(steps) : 0;
  }
  std::string left;
  if (outcome_.trained > 0) {
    const double each = pack_seconds_ / static_cast<double>(ended_);
    const double trainings = static_cast<double>(queue_.size() + workers_.jobs().size()) - begun;
    left = " · " + duration(each * trainings / static_cast<double>(worker_count_)) + " left";
  }
  line_.show(
      fmt::format("{} of {} trainings done · grokked {}/{}{}{}", done_, packs_.size(), grokked_, runs_, left, running));
}

}  // namespace logodds
