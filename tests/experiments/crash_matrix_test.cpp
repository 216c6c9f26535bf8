// What a failing disk and a killed process do to a run: each change of the disk that `logodds train` makes fails once,
// in each way there is. The run must continue from its newest checkpoint and end as if nothing had happened.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/files.h"
#include "core/log.h"
#include "core/metrics.h"
#include "experiments/commands/commands.h"
#include "tests/temporary_directory.h"
#include "training/checkpoint.h"

namespace logodds {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kCheckpointEvery = 2;

const std::string kTiny =
    "task: {kind: modular_addition, p: 5, train_fraction: 0.5}\n"
    "model: {kind: mlp, d_embed: 4, hidden: [6]}\n"
    "threads: 1\n"
    "hooks: {logit_bloat: {every_steps: 2}}\n"
    "training: {steps: 4, evaluate_every_steps: 2, checkpoint_every_steps: 2, keep_last_checkpoints: 1}\n";

/// A change of the disk that a whole training makes.
struct Operation {
  char name[16];
  char file[48];
};

/// In the child process: `logodds ARGUMENTS`.
int program(std::vector<std::string> arguments) {
  CLI::App app("", "logodds");
  int exit_code = 0;
  add_train(app, "logodds train", exit_code);
  std::ranges::reverse(arguments);
  try {
    app.parse(arguments);
    return exit_code;
  } catch (const Error& error) {
    std::printf("%s\n", error.what());
    return static_cast<int>(error.code());
  }
}

/// Runs `logodds ARGUMENTS` in DIRECTORY in a process of its own, where the disk does what `fault` says; the exit code
/// as a shell shows it. What it prints is in DIRECTORY/out.
int run(const fs::path& directory, const std::vector<std::string>& arguments, const FileFault& fault) {
  std::cout << std::flush;
  const pid_t pid = ::fork();
  if (pid == 0) {
    const int out = ::open((directory / "out").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    ::dup2(out, STDOUT_FILENO);
    ::dup2(out, STDERR_FILENO);
    if (::chdir(directory.c_str()) != 0) ::_exit(127);
    inject_file_faults(fault);
    const int code = program(arguments);
    std::fflush(nullptr);
    ::_exit(code);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(pid, &status, 0), pid);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/// Begins the run r, or continues it.
int train(const fs::path& directory, const FileFault& fault = {}) {
  if (!fs::exists(directory / "r/config.yaml")) return run(directory, {"train", "c.yaml", "--out", "r"}, fault);
  return run(directory, {"train", "r/config.yaml", "--resume"}, fault);
}

std::string out(const fs::path& directory) { return read_file(directory / "out"); }

/// The files of a finished run that must not depend on what happened to it.
std::map<std::string, std::string> result(const fs::path& directory) {
  std::map<std::string, std::string> files{{"metrics.jsonl", read_file(directory / "r/metrics.jsonl")}};
  for (const auto& entry : fs::directory_iterator(directory / "r/checkpoints")) {
    const std::string step = entry.path().filename().string();
    for (const auto& file : fs::directory_iterator(entry.path())) {
      files[step + "/" + file.path().filename().string()] = read_file(file.path());
    }
  }
  return files;
}

/// All changes of the disk that an undisturbed training in `directory` makes, in order.
std::vector<Operation> operations_of_a_training(const fs::path& directory) {
  constexpr size_t kMost = 4096;
  void* memory = ::mmap(nullptr, sizeof(size_t) + kMost * sizeof(Operation), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  auto* count = static_cast<size_t*>(memory);
  auto* all = reinterpret_cast<Operation*>(count + 1);
  const int code = train(directory, [&](const FileOperation& operation) {
    Operation& noted = all[(*count)++];
    std::snprintf(noted.name, sizeof noted.name, "%s", operation.name);
    std::snprintf(noted.file, sizeof noted.file, "%s", operation.path.filename().c_str());
    return 0;
  });
  EXPECT_EQ(code, 0) << out(directory);
  std::vector<Operation> operations(all, all + *count);
  ::munmap(memory, sizeof(size_t) + kMost * sizeof(Operation));
  return operations;
}

/// A way to fail at the `at`-th change of the disk.
struct Failure {
  const char* name;
  int exit_code;
  const char* only;  ///< this change; empty: all
  FileFault (*at)(size_t at);
};

template <int error>
FileFault fails(size_t at) {
  return [at, count = size_t{0}](FileOperation&) mutable { return count++ == at ? error : 0; };
}

FileFault kills(size_t at) {
  return [at, count = size_t{0}](FileOperation&) mutable {
    if (count++ == at) ::kill(::getpid(), SIGKILL);
    return 0;
  };
}

/// Half of the bytes are written; then `then` happens to the rest of them.
FileFault halves(size_t at, int error) {
  return [=, count = size_t{0}](FileOperation& operation) mutable {
    if (count == at) operation.bytes /= 2;
    if (count++ != at + 1) return 0;
    if (error == 0) ::kill(::getpid(), SIGKILL);
    return error;
  };
}

const std::vector<Failure> kFailures{
    {"SIGKILL before it", 137, "", kills},
    {"SIGKILL in its middle", 137, "write", [](size_t at) { return halves(at, 0); }},
    {"disk full (ENOSPC)", 4, "", fails<ENOSPC>},
    {"disk full in its middle", 4, "write", [](size_t at) { return halves(at, ENOSPC); }},
    {"quota (EDQUOT)", 4, "write", fails<EDQUOT>},
    {"device broken (EIO)", 4, "fsync", fails<EIO>},
};

/// What came of all cases of one line of the table.
struct Line {
  size_t cases = 0;
  int64_t most_lost = 0;
};

class CrashMatrix : public testing::Test {
 protected:
  /// Files go to memory where the system has a place for that: fsync is called tens of thousands of times.
  CrashMatrix() {
    if (fs::is_directory("/dev/shm")) ::setenv("TMPDIR", "/dev/shm", 1);
    spdlog::set_level(spdlog::level::info);  // what is said is looked at
  }

  /// A directory with a configuration and, where one is given, a copy of an interrupted run.
  static std::unique_ptr<TemporaryDirectory> prepared(const fs::path& interrupted = "") {
    auto directory = std::make_unique<TemporaryDirectory>();
    write_file_atomically(*directory / "c.yaml", kTiny);
    if (!interrupted.empty()) fs::copy(interrupted, *directory / "r", fs::copy_options::recursive);
    return directory;
  }

  /// The last step whose evaluation, and the last whose checkpoint, is on the disk; -1: none.
  static std::pair<int64_t, int64_t> reached(const fs::path& directory) {
    int64_t step = -1;
    if (fs::exists(directory / "r/metrics.jsonl")) {
      const auto rows = read_metrics(directory / "r/metrics.jsonl");
      if (!rows.empty()) step = rows.back()["step"].get<int64_t>();
    }
    const auto steps = CheckpointDirectory(directory / "r/checkpoints").steps();
    return {step, steps.empty() ? -1 : steps.back()};
  }

  /// After a failure: the run is continued, loudly where it begins again, and ends as `expected`. Steps lost.
  static int64_t continued(const fs::path& directory, const std::map<std::string, std::string>& expected) {
    const auto [step, saved] = reached(directory);
    const bool begun = fs::exists(directory / "r/config.yaml");
    EXPECT_EQ(train(directory), 0) << out(directory);
    EXPECT_EQ(result(directory), expected);
    const std::string said = out(directory);
    if (saved >= 0) {
      EXPECT_NE(said.find("continuing"), std::string::npos) << said;
    } else if (begun) {
      EXPECT_NE(said.find("r has no checkpoint yet: it begins again"), std::string::npos) << said;
    }
    for (const auto& entry : fs::recursive_directory_iterator(directory / "r")) {
      EXPECT_NE(entry.path().extension(), ".partial") << entry.path() << " was left behind";
    }
    return std::max<int64_t>(step, 0) - std::max<int64_t>(saved, 0);
  }

  using Table = std::map<std::pair<std::string, std::string>, Line>;

  /// Every failure of every change that a training makes which begins, or continues the interrupted run.
  static void fail_everything(const fs::path& interrupted, const std::map<std::string, std::string>& expected,
                              Table& table) {
    const auto undisturbed = prepared(interrupted);
    const auto operations = operations_of_a_training(*undisturbed / "");
    ASSERT_EQ(result(*undisturbed / ""), expected);
    for (const auto& failure : kFailures) {
      for (size_t at = 0; at < operations.size(); ++at) {
        const std::string name = operations[at].name;
        if (*failure.only != 0 && name != failure.only) continue;
        if (failure.exit_code == 4 && (name == "remove" || name == "flock")) continue;  // not needed to go on
        const auto directory = prepared(interrupted);
        const std::string where =
            std::string(failure.name) + ": " + name + " " + operations[at].file + ", change " + std::to_string(at);
        const int code = train(*directory / "", failure.at(at));
        // The rename that begins the removal of an old checkpoint may fail: the new one is there.
        const bool old_one_stays = code == 0 && name == "rename";
        EXPECT_TRUE(code == failure.exit_code || old_one_stays) << where << ": " << code << out(*directory / "");
        const int64_t lost = continued(*directory / "", expected);
        EXPECT_LE(lost, kCheckpointEvery) << where;
        Line& line = table[{name, failure.name}];
        line.most_lost = std::max(line.most_lost, lost);
        ++line.cases;
        ASSERT_FALSE(HasFailure()) << where;
      }
    }
  }
};

TEST_F(CrashMatrix, NoFailureOfAnyChangeOfTheDiskLosesMoreThanTheWorkSinceTheLastCheckpoint) {
  const auto whole = prepared();
  const auto operations = operations_of_a_training(*whole / "");
  const auto expected = result(*whole / "");
  ASSERT_GT(operations.size(), 50u);
  Table table;
  fail_everything("", expected, table);
  // Continuing has changes of its own: metrics behind the checkpoint are cut off.
  const auto last = std::ranges::find_if(
      operations, [](const Operation& operation) { return std::string(operation.file) == "00000004.partial"; });
  const auto interrupted = prepared();
  ASSERT_EQ(train(*interrupted / "", kills(static_cast<size_t>(last - operations.begin()))), 137);
  ASSERT_EQ(reached(*interrupted / ""), std::pair(int64_t{4}, int64_t{2}));
  fail_everything(*interrupted / "r", expected, table);
  std::printf("%-10s %-26s %6s %18s\n", "change", "what happens", "cases", "steps lost at most");
  for (const auto& [what, line] : table) {
    std::printf("%-10s %-26s %6zu %18lld\n", what.first.c_str(), what.second.c_str(), line.cases,
                static_cast<long long>(line.most_lost));
  }
}

/// A file system of its own in memory, with room for so many bytes.
class SmallDisk {
 public:
  explicit SmallDisk(fs::path path, size_t kilobytes) : path_(std::move(path)) {
    fs::create_directories(path_);
    mounted_ = ::mount("tmpfs", path_.c_str(), "tmpfs", 0, size(kilobytes).c_str()) == 0;
  }
  ~SmallDisk() {
    if (mounted_) ::umount2(path_.c_str(), MNT_DETACH);
  }
  bool mounted() const { return mounted_; }
  void remount(size_t kilobytes, unsigned long flags) const {
    EXPECT_EQ(::mount("tmpfs", path_.c_str(), "tmpfs", MS_REMOUNT | flags, size(kilobytes).c_str()), 0);
  }

 private:
  static std::string size(size_t kilobytes) { return "size=" + std::to_string(kilobytes) + "k"; }
  fs::path path_;
  bool mounted_ = false;
};

TEST_F(CrashMatrix, ARealFullDiskStopsARunWhichContinuesOnceThereIsRoom) {
  const auto whole = prepared();
  ASSERT_EQ(train(*whole / ""), 0);
  size_t full = 0;
  for (const size_t kilobytes : {16, 24, 32, 40, 48, 64}) {
    const TemporaryDirectory directory;
    const SmallDisk disk(directory / "disk", kilobytes);
    if (!disk.mounted()) GTEST_SKIP() << "a file system can be mounted by root only";
    disk.remount(1024, 0);
    write_file_atomically(directory / "disk/c.yaml", kTiny);
    write_file_atomically(directory / "disk/out", "");
    disk.remount(kilobytes, 0);
    const int code = train(directory / "disk");
    if (code == 0) continue;
    ++full;
    EXPECT_EQ(code, 4);
    disk.remount(1024, 0);
    continued(directory / "disk", result(*whole / ""));
  }
  EXPECT_GT(full, 1u) << "the disks were never full: make them smaller";
}

TEST_F(CrashMatrix, AReadOnlyDiskIsAnErrorThatNamesItAndLosesNothing) {
  const auto whole = prepared();
  ASSERT_EQ(train(*whole / ""), 0);
  const TemporaryDirectory directory;
  const SmallDisk disk(directory / "disk", 1024);
  if (!disk.mounted()) GTEST_SKIP() << "a file system can be mounted by root only";
  write_file_atomically(directory / "disk/c.yaml", kTiny);
  const auto at_step_3 = fails<EROFS>(75);
  ASSERT_EQ(train(directory / "disk", at_step_3), 4);
  disk.remount(1024, MS_RDONLY);
  EXPECT_EQ(run(directory / "", {"train", "disk/c.yaml", "--out", "disk/new"}, {}), 4);
  EXPECT_EQ(out(directory / ""), "disk/new: cannot create directory: Read-only file system\n");
  EXPECT_EQ(run(directory / "", {"train", "disk/r/config.yaml", "--resume"}, {}), 4);
  EXPECT_EQ(out(directory / ""), "disk/r/lock: cannot open: Read-only file system\n");
  disk.remount(1024, 0);
  continued(directory / "disk", result(*whole / ""));
}

}  // namespace
}  // namespace logodds
