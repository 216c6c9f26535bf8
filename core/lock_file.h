#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <string>

#include "core/error.h"

namespace logodds {

/// The I/O Error of a lock that another process has.
class InUse : public Error {
 public:
  explicit InUse(const std::string& message) : Error(message, ExitCode::io) {}
};

/// Something that one process at a time may use: a file that names the process that has it, locked with flock(2), so
/// that the lock ends with the process, however it ends, and the file alone says nothing. Linux carries such locks over
/// NFS to the server (not with the mount option nolock or local_lock=flock: there they hold on one machine only). A
/// file system that knows none at all leaves only the file: it counts while its process lives, or where that cannot be
/// told because it is of another machine.
class LockFile {
 public:
  /// Takes the lock, waiting for it at most `patience`; the parent process may have taken it for this one (`hand_on`).
  /// Throws InUse, which says that `what` is, and by which process; an I/O Error where the file cannot be opened.
  LockFile(std::filesystem::path path, const std::string& what,
           std::chrono::milliseconds patience = std::chrono::milliseconds(200));
  /// Removes the file.
  ~LockFile();
  LockFile(const LockFile&) = delete;
  LockFile& operator=(const LockFile&) = delete;

  /// Whether a process has a lock; false where the file system knows no locks.
  static bool held(const std::filesystem::path& path);

  /// A descriptor that keeps the lock for a child process, which inherits it. This object then has it no more.
  int hand_on();

 private:
  enum class Attempt { done, held, removed };
  Attempt attempt();
  void write_holder() const;

  std::filesystem::path path_;
  int descriptor_ = -1;
};

}  // namespace logodds
