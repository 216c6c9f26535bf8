#include "experiments/report/progress.h"

#include <spdlog/fmt/fmt.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "experiments/report/table.h"

namespace logodds {

namespace {

std::string duration(double seconds) {
  const auto whole = static_cast<int64_t>(std::ceil(seconds));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole / 60 % 60);
}

/// Width of the terminal behind standard error; 80 where it does not say.
size_t columns() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

/// The first `width` - 1 characters: a line that wraps could not be overwritten.
std::string shortened(const std::string& line, size_t width) {
  size_t characters = 0;
  for (size_t i = 0; i < line.size(); ++i) {
    const bool starts = (line[i] & 0xc0) != 0x80;  // UTF-8
    if (starts && ++characters >= width) return line.substr(0, i);
  }
  return line;
}

}  // namespace

Progress::Progress(int64_t first_step, int64_t last_step)
    : first_step_(first_step),
      last_step_(last_step),
      step_(first_step),
      terminal_(::isatty(STDERR_FILENO) == 1),
      start_(Clock::now()) {}

void Progress::finish() {
  if (runs_ > 0) show(Clock::now());
  if (dirty_) std::fputs("\n", stderr);
  runs_ = 0;
  dirty_ = false;
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
  const auto now = Clock::now();
  const auto pause = terminal_ ? std::chrono::milliseconds(200) : std::chrono::seconds(10);
  if (now - shown_ >= pause && (terminal_ || now - start_ >= pause)) show(now);
}

void Progress::show(Clock::time_point now) {
  shown_ = now;
  const double elapsed = std::chrono::duration<double>(now - start_).count();
  const auto done = static_cast<double>(step_ - first_step_);
  const std::string left = done > 0 && step_ < last_step_
                               ? duration(elapsed / done * static_cast<double>(last_step_ - step_)) + " left"
                               : duration(elapsed);
  const std::string line =
      fmt::format("step {}/{} · loss {} / {} · accuracy {} / {} (train / test) · grokked {}/{} · {}", step_, last_step_,
                  figure(train_loss_, 3), figure(test_loss_, 3), percent(train_accuracy_), percent(test_accuracy_),
                  grokked_, runs_, left);
  std::fputs(terminal_ ? ("\r\033[K" + shortened(line, columns())).c_str() : (line + "\n").c_str(), stderr);
  std::fflush(stderr);
  dirty_ = terminal_;
}

}  // namespace logodds
