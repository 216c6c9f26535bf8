#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace logodds {

/// Processes of this same program beside each other. They end when this process does, however it ends.
class Workers {
 public:
  struct Ended {
    size_t job;
    int exit_code;  ///< as a shell shows it: 128 + the signal where one ended it
  };

  explicit Workers(size_t count) : count_(count) {}
  /// Ends the processes that are left.
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  bool idle() const { return processes_.empty(); }
  bool full() const { return processes_.size() >= count_; }
  /// The jobs that are being worked on.
  std::vector<size_t> jobs() const;

  /// Starts the program with these arguments; its output is appended to `log`. The descriptor `lock` is handed on to it
  /// and closed here. Throws an I/O Error.
  void start(size_t job, const std::vector<std::string>& arguments, const std::filesystem::path& log, int lock);

  /// A process that has ended, waiting for one at most `pause`; a signal to this process ends the pause early.
  std::optional<Ended> wait(std::chrono::milliseconds pause);

  void signal_all(int signal) const;

 private:
  struct Process {
    pid_t pid;
    size_t job;
  };
  size_t count_;
  std::vector<Process> processes_;
};

/// The CPUs this process may run on.
size_t usable_cpus();

}  // namespace logodds
