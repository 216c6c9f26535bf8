#pragma once

#include <chrono>
#include <string>

namespace logodds {

/// What is going on, for a person, on standard error: one line that is updated on a terminal, a plain line now and then
/// elsewhere.
class StatusLine {
 public:
  StatusLine();
  ~StatusLine() { finish(); }
  StatusLine(const StatusLine&) = delete;
  StatusLine& operator=(const StatusLine&) = delete;

  /// Whether it is time for another line: five a second on a terminal, one every ten seconds elsewhere.
  bool due() const;
  void show(const std::string& line);
  /// A line that stays, above the one that is updated.
  void print(const std::string& line);
  /// Ends the line, if it is unfinished.
  void finish();

 private:
  using Clock = std::chrono::steady_clock;
  bool terminal_;
  bool open_ = false;  ///< the terminal's line is ours and unfinished
  Clock::time_point shown_;
};

/// "5 s", "2 min 05 s", "1 h 02 min"; rounded up.
std::string duration(double seconds);

}  // namespace logodds
