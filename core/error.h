#pragma once

#include <stdexcept>
#include <string>
#include <vector>

namespace logodds {

/// Exit codes of the program; the README's table is the same list.
enum class ExitCode : int {
  ok = 0,
  internal = 1,    ///< a defect of logodds itself
  usage = 2,       ///< command line or configuration
  io = 4,          ///< a file or directory cannot be read or written, or is damaged
  diverged = 5,    ///< a loss stopped being finite
  incomplete = 6,  ///< of a sweep, some runs failed or are not finished
};

/// The one exception type of the program: what() is a complete sentence that says where, what and what would be right.
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& message, ExitCode code = ExitCode::usage)
      : std::runtime_error(message), code_(code) {}
  ExitCode code() const { return code_; }

 private:
  ExitCode code_;
};

inline Error io_error(const std::string& message) { return Error(message, ExitCode::io); }

/// Collects every problem of a configuration, so that all of them are reported at once.
class Problems {
 public:
  void add(std::string message) { messages_.push_back(std::move(message)); }
  bool empty() const { return messages_.empty(); }
  /// Throws one Error whose message has a line per problem; does nothing when there is none.
  void throw_if_any() const {
    if (messages_.empty()) return;
    std::string all;
    for (const auto& message : messages_) all += (all.empty() ? "" : "\n") + message;
    throw Error(all);
  }

 private:
  std::vector<std::string> messages_;
};

}  // namespace logodds
