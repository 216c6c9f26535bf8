#include "core/lock_file.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>
#include <utility>

#include "core/error.h"
#include "core/files.h"

namespace logodds {

namespace {

struct Holder {
  pid_t process;
  std::string host;
  std::string since;
};

std::string this_host() {
  char name[256] = "";
  ::gethostname(name, sizeof name - 1);
  return name;
}

std::string now() {
  const std::time_t time = std::time(nullptr);
  char text[32];
  std::strftime(text, sizeof text, "%FT%TZ", std::gmtime(&time));
  return text;
}

/// Who a lock file names; none where it is empty or no such file.
std::optional<Holder> read_holder(int descriptor) {
  char text[1024];
  const ssize_t bytes = ::pread(descriptor, text, sizeof text, 0);
  const auto json =
      nlohmann::json::parse(text, text + std::max<ssize_t>(bytes, 0), nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("process") || !json["process"].is_number_integer()) return std::nullopt;
  const auto word = [&](const char* key) {
    return json.contains(key) && json[key].is_string() ? json[key].get<std::string>() : "";
  };
  return Holder{json["process"].get<pid_t>(), word("host"), word("since")};
}

bool here(const Holder& holder) { return holder.host == this_host(); }

bool may_live(const Holder& holder) { return !here(holder) || ::kill(holder.process, 0) == 0 || errno == EPERM; }

std::string in_words(const std::optional<Holder>& holder) {
  if (!holder) return "another process";
  return "process " + std::to_string(holder->process) + " on " + holder->host + " (since " + holder->since + ")";
}

/// flock, or errno = ENOLCK where a test says that the file system has none.
bool lock(int descriptor, const std::filesystem::path& path) {
  return !injected_file_fault({"flock", path}) && ::flock(descriptor, LOCK_EX | LOCK_NB) == 0;
}

}  // namespace

LockFile::LockFile(std::filesystem::path path, const std::string& what, std::chrono::milliseconds patience)
    : path_(std::move(path)) {
  const auto give_up = std::chrono::steady_clock::now() + patience;
  for (Attempt result; (result = attempt()) != Attempt::done;) {
    const auto holder = descriptor_ < 0 ? std::nullopt : read_holder(descriptor_);
    ::close(std::exchange(descriptor_, -1));
    if (result == Attempt::removed) continue;
    if (std::chrono::steady_clock::now() >= give_up) {
      throw InUse(what + ": is in use by " + in_words(holder) +
                  "; wait until it has ended, or end it. If it is gone for certain, remove " + path_.string());
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  write_holder();
}

LockFile::Attempt LockFile::attempt() {
  descriptor_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor_ < 0) throw io_error(path_.string() + ": cannot open: " + std::strerror(errno));
  const bool locked = lock(descriptor_, path_);
  const bool elsewhere = !locked && errno == EWOULDBLOCK;
  const auto holder = read_holder(descriptor_);
  // A sweep takes the lock for the process that it starts; without locks, a process that ended had our own number.
  const auto named = [&](pid_t process) { return holder && here(*holder) && holder->process == process; };
  if (!locked && (named(::getppid()) || (!elsewhere && named(::getpid())))) return Attempt::done;
  if (elsewhere || (!locked && holder && may_live(*holder))) return Attempt::held;
  // The one before may have removed the file between our opening and locking it.
  struct stat opened {
  }, now{};
  const bool same = ::fstat(descriptor_, &opened) == 0 && ::stat(path_.c_str(), &now) == 0 &&
                    opened.st_ino == now.st_ino && opened.st_dev == now.st_dev;
  return same ? Attempt::done : Attempt::removed;
}

void LockFile::write_holder() const {
  const std::string text =
      nlohmann::json{{"process", ::getpid()}, {"host", this_host()}, {"since", now()}}.dump() + "\n";
  const auto size = static_cast<ssize_t>(text.size());
  // The file is for people and for file systems without locks; on a full disk the lock itself still holds.
  if (::ftruncate(descriptor_, 0) == 0) std::ignore = ::pwrite(descriptor_, text.data(), text.size(), 0) == size;
}

LockFile::~LockFile() {
  if (descriptor_ < 0) return;
  ::unlink(path_.c_str());
  ::close(descriptor_);
}

bool LockFile::held(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (descriptor < 0) return false;
  const bool held = ::flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  ::close(descriptor);
  return held;
}

int LockFile::hand_on() { return std::exchange(descriptor_, -1); }

}  // namespace logodds
