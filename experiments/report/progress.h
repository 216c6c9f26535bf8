#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "core/metrics.h"

namespace logodds {

/// The state of training for a person: one line that is updated on a terminal, a plain line now and then elsewhere.
/// Written to standard error.
class Progress {
 public:
  Progress(int64_t first_step, int64_t last_step);
  ~Progress() { finish(); }

  void evaluated(const std::vector<Row>& rows);
  void stepped(int64_t step);
  void finish();  ///< shows the last state and ends the line

 private:
  using Clock = std::chrono::steady_clock;
  void show(Clock::time_point now);

  int64_t first_step_;
  int64_t last_step_;
  int64_t step_;
  bool terminal_;
  bool dirty_ = false;  ///< the terminal's line is ours and unfinished
  double train_loss_ = 0, test_loss_ = 0, train_accuracy_ = 0, test_accuracy_ = 0;  ///< means over the runs
  size_t grokked_ = 0, runs_ = 0;
  Clock::time_point start_, shown_;
};

/// A run counts as grokked while its test accuracy is at least this.
inline constexpr double kGrokkedAccuracy = 0.99;

}  // namespace logodds
