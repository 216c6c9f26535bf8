#include "experiments/report/status_line.h"

#include <spdlog/fmt/fmt.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <utility>

namespace logodds {

namespace {

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

StatusLine::StatusLine() : terminal_(::isatty(STDERR_FILENO) == 1), shown_(Clock::now()) {
  if (terminal_) shown_ -= std::chrono::seconds(1);
}

bool StatusLine::due() const {
  return Clock::now() - shown_ >= (terminal_ ? std::chrono::milliseconds(200) : std::chrono::seconds(10));
}

void StatusLine::show(const std::string& line) {
  shown_ = Clock::now();
  std::fputs(terminal_ ? ("\r\033[K" + shortened(line, columns())).c_str() : (line + "\n").c_str(), stderr);
  std::fflush(stderr);
  open_ = terminal_;
}

void StatusLine::print(const std::string& line) {
  std::fputs(((open_ ? "\r\033[K" : "") + line + "\n").c_str(), stderr);
  std::fflush(stderr);
  open_ = false;
}

void StatusLine::finish() {
  if (std::exchange(open_, false)) std::fputs("\n", stderr);
}

std::string duration(double seconds) {
  const auto whole = static_cast<int64_t>(std::ceil(seconds));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole / 60 % 60);
}

}  // namespace logodds
