#include "core/files.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "core/error.h"

namespace logodds {

namespace {

[[noreturn]] void fail(const std::filesystem::path& path, const std::string& doing) {
  throw io_error(path.string() + ": cannot " + doing + ": " + std::strerror(errno));
}

/// A file descriptor that closes itself.
class Descriptor {
 public:
  Descriptor(const std::filesystem::path& path, int flags, const char* doing) : fd_(::open(path.c_str(), flags, 0644)) {
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
    if (::close(std::exchange(fd_, -1)) != 0) fail(path, "close");
  }

 private:
  int fd_;
};

void write_all(int fd, std::string_view content, const std::filesystem::path& path) {
  while (!content.empty()) {
    const ssize_t written = ::write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail(path, "write");
    content.remove_prefix(static_cast<size_t>(written));
  }
}

}  // namespace

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
    if (::fsync(file.get()) != 0) fail(temporary, "fsync");
    file.close(temporary);
    if (::rename(temporary.c_str(), path.c_str()) != 0) fail(path, "rename into place");
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
  sync_directory(path.parent_path().empty() ? "." : path.parent_path());
}

void sync_directory(const std::filesystem::path& directory) {
  const Descriptor handle(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC, "open");
  // Some network file systems refuse fsync of a directory; they order the rename themselves.
  if (::fsync(handle.get()) != 0 && errno != EINVAL) fail(directory, "fsync");
}

std::string sha256(std::string_view content) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  if (EVP_Digest(content.data(), content.size(), digest.data(), &length, EVP_sha256(), nullptr) != 1) {
    throw Error("SHA-256 is not available in this OpenSSL", ExitCode::internal);
  }
  static constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  for (unsigned int i = 0; i < length; ++i) {
    text += kHex[digest[i] >> 4];
    text += kHex[digest[i] & 15];
  }
  return text;
}

}  // namespace logodds
