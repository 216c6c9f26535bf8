#include "core/lock_file.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <functional>

#include "core/files.h"
#include "tests/temporary_directory.h"

namespace logodds {
namespace {

/// Does something in another process until it is told to end; it has done it when this returns.
class OtherProcess {
 public:
  explicit OtherProcess(const std::function<void()>& what) {
    int ready[2];
    EXPECT_EQ(::pipe(ready), 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      what();
      std::ignore = ::write(ready[1], "x", 1);
      ::pause();
      ::_exit(0);
    }
    char byte;
    EXPECT_EQ(::read(ready[0], &byte, 1), 1);
    ::close(ready[0]);
    ::close(ready[1]);
  }
  ~OtherProcess() { kill(); }
  pid_t pid() const { return pid_; }
  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }

 private:
  pid_t pid_;
};

std::string refusal(const std::filesystem::path& path) {
  try {
    const LockFile lock(path, "runs/x");
  } catch (const InUse& error) {
    return error.what();
  }
  return "";
}

TEST(LockFile, TheSecondProcessIsToldWhoHasItUntilThatOneIsKilled) {
  const TemporaryDirectory directory;
  OtherProcess other([&] { new LockFile(directory / "lock", "runs/x"); });
  EXPECT_EQ(refusal(directory / "lock").find("runs/x: is in use by process " + std::to_string(other.pid()) + " on "),
            0u)
      << refusal(directory / "lock");
  other.kill();
  EXPECT_TRUE(std::filesystem::exists(directory / "lock")) << "it was killed: the file stays, and means nothing";
  EXPECT_EQ(refusal(directory / "lock"), "");
  EXPECT_FALSE(std::filesystem::exists(directory / "lock"));
}

TEST(LockFile, ItIsHeldOnceWithinAProcessToo) {
  const TemporaryDirectory directory;
  const LockFile lock(directory / "lock", "runs/x");
  EXPECT_NE(refusal(directory / "lock"), "");
}

TEST(LockFile, AChildThatInheritsItHasItAndOthersDoNot) {
  const TemporaryDirectory directory;
  auto lock = std::make_unique<LockFile>(directory / "lock", "runs/x");
  const int descriptor = lock->hand_on();
  OtherProcess child([&] { new LockFile(directory / "lock", "runs/x"); });
  ::close(descriptor);
  lock.reset();
  EXPECT_NE(refusal(directory / "lock").find("process " + std::to_string(child.pid())), std::string::npos)
      << refusal(directory / "lock");
}

/// A file system without locks: the file alone decides.
class NoLocks {
 public:
  NoLocks() {
    inject_file_faults([](FileOperation& operation) { return std::string(operation.name) == "flock" ? ENOLCK : 0; });
  }
  ~NoLocks() { inject_file_faults({}); }
};

TEST(LockFile, WithoutLocksAFileOfALivingProcessOrOfAnotherMachineCountsAndOneOfADeadProcessDoesNot) {
  const NoLocks no_locks;
  const TemporaryDirectory directory;
  const auto path = directory / "lock";
  OtherProcess other([&] { new LockFile(path, "runs/x"); });
  EXPECT_NE(refusal(path), "");
  other.kill();
  EXPECT_EQ(refusal(path), "");
  write_file_atomically(path, "{\"process\": 1, \"host\": \"elsewhere\", \"since\": \"yesterday\"}");
  EXPECT_EQ(refusal(path),
            "runs/x: is in use by process 1 on elsewhere (since yesterday); wait until it has ended, or "
            "end it. If it is gone for certain, remove " +
                path.string());
  write_file_atomically(path, "no json");
  EXPECT_EQ(refusal(path), "");
}

}  // namespace
}  // namespace logodds
