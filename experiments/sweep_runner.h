#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "experiments/report/status_line.h"
#include "experiments/sweep_directory.h"
#include "experiments/workers.h"

namespace logodds {

/// Every `count`-th pack of a sweep, from the `index`-th on: what one of several machines trains.
struct Shard {
  size_t index = 0;
  size_t count = 1;
};

/// Trains what a sweep still lacks, a process per pack. Finished packs and runs that diverged are left as they are;
/// begun ones continue from their newest checkpoint; failed ones are tried again.
class SweepRunner {
 public:
  /// What it saw while it trained.
  struct Outcome {
    size_t trained = 0;   ///< trainings
    size_t diverged = 0;  ///< runs, those from before included
    size_t failed = 0;    ///< trainings
    int signal = 0;       ///< that stopped it; 0 when nothing was left to do
  };

  SweepRunner(const Sweep& sweep, const SweepDirectory& directory, Shard shard, size_t workers,
              std::string command_line);

  /// SIGINT and SIGTERM save and end the trainings, a second one ends them at once; SIGUSR1 saves them.
  Outcome run();

 private:
  using Clock = std::chrono::steady_clock;
  void start(size_t job);
  /// Does something about one training; an Error is a line about it, and the others go on.
  void attempt(const SweepPack& pack, const std::function<void()>& what);
  void ended(const Workers::Ended& ended);
  void finished(const SweepPack& pack);
  void failed(const SweepPack& pack, int exit_code);
  void pass_signals_on();
  void show();

  const SweepDirectory& directory_;
  std::string command_line_;
  std::vector<SweepPack> packs_;
  std::vector<Clock::time_point> started_;
  std::deque<size_t> queue_;
  size_t done_ = 0;                ///< trainings that are over
  size_t runs_ = 0, grokked_ = 0;  ///< of the trainings finished here
  size_t ended_ = 0;               ///< trainings that ended here, and what they took all together
  double pack_seconds_ = 0;
  int passed_ = 0;  ///< signals that were passed on
  Outcome outcome_;
  StatusLine line_;
  Workers workers_;
  size_t worker_count_;
};

}  // namespace logodds
