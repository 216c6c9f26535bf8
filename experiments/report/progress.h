#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "core/metrics.h"
#include "experiments/report/status_line.h"

namespace logodds {

/// The state of one training for a person.
class Progress {
 public:
  Progress(int64_t first_step, int64_t last_step);
  ~Progress() { finish(); }

  void evaluated(const std::vector<Row>& rows);
  void stepped(int64_t step);
  void finish();  ///< shows the last state and ends the line

 private:
  using Clock = std::chrono::steady_clock;
  void show();

  int64_t first_step_;
  int64_t last_step_;
  int64_t step_;
  StatusLine line_;
  double train_loss_ = 0, test_loss_ = 0, train_accuracy_ = 0, test_accuracy_ = 0;  ///< means over the runs
  size_t grokked_ = 0, runs_ = 0;
  Clock::time_point start_;
};

}  // namespace logodds
