#include "experiments/report/progress.h"

#include <spdlog/fmt/fmt.h>

#include <nlohmann/json.hpp>

#include "experiments/report/table.h"
#include "training/grokking.h"

namespace logodds {

Progress::Progress(int64_t first_step, int64_t last_step)
    : first_step_(first_step), last_step_(last_step), step_(first_step), start_(Clock::now()) {}

void Progress::finish() {
  if (runs_ > 0) show();
  line_.finish();
  runs_ = 0;
}

void Progress::evaluated(const std::vector<Row>& rows) {
  train_loss_ = test_loss_ = train_accuracy_ = test_accuracy_ = 0;
  grokked_ = 0;
  runs_ = rows.size();
  for (const auto& row : rows) {
    const auto count = static_cast<double>(rows.size());
    train_loss_ += row.value("train_loss", 0.0) / count;
    train_accuracy_ += row.value("train_accuracy", 0.0) / count;
    test_loss_ += row.value("test_loss", 0.0) / count;
    test_accuracy_ += row.value("test_accuracy", 0.0) / count;
    grokked_ += row.value("test_accuracy", 0.0) >= kGrokkedAccuracy ? 1 : 0;
  }
}

void Progress::stepped(int64_t step) {
  step_ = step;
  if (line_.due()) show();
}

void Progress::show() {
  const double elapsed = std::chrono::duration<double>(Clock::now() - start_).count();
  const auto done = static_cast<double>(step_ - first_step_);
  const std::string left = done > 0 && step_ < last_step_
                               ? duration(elapsed / done * static_cast<double>(last_step_ - step_)) + " left"
                               : duration(elapsed);
  line_.show(fmt::format("step {}/{} · loss {} / {} · accuracy {} / {} (train / test) · grokked {}/{} · {}", step_,
                         last_step_, figure(train_loss_, 3), figure(test_loss_, 3), percent(train_accuracy_),
                         percent(test_accuracy_), grokked_, runs_, left));
}

}  // namespace logodds
