#include "core/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/error.h"
#include "core/sha256.h"

namespace logodds {

namespace {

[[noreturn]] void fail(const std::filesystem::path& path, const std::string& doing) {
  throw io_error(path.string() + ": cannot " + doing + ": " + std::strerror(errno));
}

FileFault injected_fault;

/// A file descriptor that closes itself.
class Descriptor {
 public:
  Descriptor(const std::filesystem::path& path, int flags, const char* doing) {
    if ((flags & O_CREAT) == 0 || !injected_file_fault({"create", path})) fd_ = ::open(path.c_str(), flags, 0644);
    if (fd_ < 0) fail(path, doing);
  }
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  /// The last place where a full disk or a network file system can report a lost write.
  void close(const std::filesystem::path& path) {
    if (injected_file_fault({"close", path}) || ::close(std::exchange(fd_, -1)) != 0) fail(path, "close");
  }
  void sync(const std::filesystem::path& path) {
    if (injected_file_fault({"fsync", path}) || ::fsync(fd_) != 0) fail(path, "fsync");
  }

 private:
  int fd_ = -1;
};

void write_all(int fd, std::string_view content, const std::filesystem::path& path) {
  while (!content.empty()) {
    size_t bytes = content.size();
    const ssize_t written =
        injected_file_fault({"write", path, bytes}, &bytes) ? -1 : ::write(fd, content.data(), bytes);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail(path, "write");
    content.remove_prefix(static_cast<size_t>(written));
  }
}

}  // namespace

bool injected_file_fault(FileOperation operation, size_t* bytes) {
  if (!injected_fault) return false;
  const int error = injected_fault(operation);
  if (bytes != nullptr) *bytes = operation.bytes;
  if (error != 0) errno = error;
  return error != 0;
}

std::string read_file(const std::filesystem::path& path, uint64_t max_bytes) {
  const Descriptor file(path, O_RDONLY | O_CLOEXEC, "open");
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) fail(path, "stat");
  if (!S_ISREG(status.st_mode)) throw io_error(path.string() + ": is not a regular file");
  if (static_cast<uint64_t>(status.st_size) > max_bytes) {
    throw io_error(path.string() + ": is larger than " + std::to_string(max_bytes) + " bytes");
  }
  std::string content(static_cast<size_t>(status.st_size), '\0');
  size_t filled = 0;
  while (filled < content.size()) {
    const ssize_t got = ::read(file.get(), content.data() + filled, content.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(path, "read");
    if (got == 0) break;
    filled += static_cast<size_t>(got);
  }
  content.resize(filled);
  return content;
}

void write_file_atomically(const std::filesystem::path& path, std::string_view content) {
  const std::filesystem::path temporary = path.string() + ".partial";
  try {
    Descriptor file(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, "create");
    write_all(file.get(), content, temporary);
    file.sync(temporary);
    file.close(temporary);
    if (injected_file_fault({"rename", path}) || ::rename(temporary.c_str(), path.c_str()) != 0)
      fail(path, "rename into place");
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
  sync_directory(path.parent_path().empty() ? "." : path.parent_path());
}

void append_to_file(const std::filesystem::path& path, std::string_view content) {
  Descriptor file(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, "open");
  write_all(file.get(), content, path);
  file.close(path);
}

void truncate_file(const std::filesystem::path& path, uint64_t bytes) {
  if (injected_file_fault({"truncate", path}) || ::truncate(path.c_str(), static_cast<off_t>(bytes)) != 0)
    fail(path, "cut back");
}

void sync_file(const std::filesystem::path& path) { Descriptor(path, O_WRONLY | O_CLOEXEC, "open").sync(path); }

void sync_directory(const std::filesystem::path& directory) {
  const Descriptor handle(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC, "open");
  // Some network file systems refuse fsync of a directory; they order the rename themselves.
  if ((injected_file_fault({"fsync", directory}) || ::fsync(handle.get()) != 0) && errno != EINVAL)
    fail(directory, "fsync");
}

void make_directories(const std::filesystem::path& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return;
  if (injected_file_fault({"mkdir", path})) fail(path, "create directory");
  std::filesystem::create_directories(path, error);
  if (error) throw io_error(path.string() + ": cannot create directory: " + error.message());
}

void rename_directory(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (injected_file_fault({"rename", to}) || ::rename(from.c_str(), to.c_str()) != 0) fail(to, "rename into place");
}

void remove_tree(const std::filesystem::path& path) {
  if (injected_file_fault({"remove", path})) return;
  std::error_code ignored;
  std::filesystem::remove_all(path, ignored);
}

std::string sha256(std::string_view content) {
  Sha256 sum;
  sum.add(content);
  return sum.text();
}

void inject_file_faults(FileFault fault) { injected_fault = std::move(fault); }

}  // namespace logodds
