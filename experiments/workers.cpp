#include "experiments/workers.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "core/error.h"

namespace logodds {

namespace {

/// What happens in the new process up to the program: nothing but system calls, which is all that is safe there.
[[noreturn]] void become(char* const* arguments, int log, int lock, pid_t parent) {
  ::setpgid(0, 0);  // Ctrl-C reaches the parent alone, which passes it on once
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
  std::signal(SIGUSR1, SIG_IGN);  // until the program listens to it
  ::dup2(log, STDOUT_FILENO);
  ::dup2(log, STDERR_FILENO);
  if (lock >= 0) ::fcntl(lock, F_SETFD, 0);
  ::execv("/proc/self/exe", arguments);
  ::_exit(127);
}

}  // namespace

Workers::~Workers() {
  signal_all(SIGKILL);
  for (const auto& process : processes_) ::waitpid(process.pid, nullptr, 0);
}

std::vector<size_t> Workers::jobs() const {
  std::vector<size_t> jobs;
  for (const auto& process : processes_) jobs.push_back(process.job);
  return jobs;
}

void Workers::start(size_t job, const std::vector<std::string>& arguments, const std::filesystem::path& log, int lock) {
  std::vector<std::string> words{"logodds"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const int log_file = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (log_file < 0 && lock >= 0) ::close(lock);
  if (log_file < 0) throw io_error(log.string() + ": cannot open: " + std::strerror(errno));
  const pid_t parent = ::getpid(), pid = ::fork();
  if (pid == 0) become(argv.data(), log_file, lock, parent);
  const int error = errno;
  ::close(log_file);
  if (lock >= 0) ::close(lock);
  if (pid < 0) throw io_error(std::string("cannot start a process: ") + std::strerror(error));
  processes_.push_back({pid, job});
}

std::optional<Workers::Ended> Workers::wait(std::chrono::milliseconds pause) {
  for (bool paused = false;; paused = true) {
    for (size_t i = 0; i < processes_.size(); ++i) {
      int status = 0;
      if (::waitpid(processes_[i].pid, &status, WNOHANG) != processes_[i].pid) continue;
      const Ended ended{processes_[i].job, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status)};
      processes_.erase(processes_.begin() + static_cast<int64_t>(i));
      return ended;
    }
    if (paused) return std::nullopt;
    const auto nanoseconds = std::chrono::duration_cast<std::chrono::nanoseconds>(pause).count();
    const timespec time{nanoseconds / 1000000000, nanoseconds % 1000000000};
    ::nanosleep(&time, nullptr);
  }
}

void Workers::signal_all(int signal) const {
  for (const auto& process : processes_) ::kill(process.pid, signal);
}

size_t usable_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  const bool known = ::sched_getaffinity(0, sizeof set, &set) == 0;
  return known ? std::max<size_t>(1, static_cast<size_t>(CPU_COUNT(&set))) : 1;
}

}  // namespace logodds
