#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace logodds {

/// Whole content of a regular file of at most `max_bytes`; throws an I/O Error that names the file.
std::string read_file(const std::filesystem::path& path, uint64_t max_bytes = uint64_t{1} << 36);

/// Writes a file so that a crash leaves the old content or the new, never a mixture: temporary file beside it, every
/// write checked, fsync, rename, fsync of the directory. Throws an I/O Error that names the file.
void write_file_atomically(const std::filesystem::path& path, std::string_view content);

/// Adds to the end of a file, which is made where there is none. A crash may leave a part of it. Throws an I/O Error.
void append_to_file(const std::filesystem::path& path, std::string_view content);

/// Cuts a file to its first `bytes` bytes. Throws an I/O Error.
void truncate_file(const std::filesystem::path& path, uint64_t bytes);

/// Makes a file's content, or a directory's entries, durable. Throws an I/O Error.
void sync_file(const std::filesystem::path& path);
void sync_directory(const std::filesystem::path& directory);

/// Makes a directory and those above it that are missing. Throws an I/O Error.
void make_directories(const std::filesystem::path& path);

/// Gives a directory another name, which nothing has or an empty directory. Throws an I/O Error.
void rename_directory(const std::filesystem::path& from, const std::filesystem::path& to);

/// Removes a file, or a directory with all that is in it, as far as it can be removed.
void remove_tree(const std::filesystem::path& path);

/// SHA-256 in lower-case hexadecimal.
std::string sha256(std::string_view content);

/// One change of the disk that is about to be made here: create, write, fsync, close, rename, mkdir, truncate, remove;
/// and flock.
struct FileOperation {
  const char* name;
  const std::filesystem::path& path;
  size_t bytes = 0;  ///< of a write; fewer of them may be let through
};

/// For tests of what a failing disk does: called before every such change, it returns 0, or the errno to fail with.
using FileFault = std::function<int(FileOperation& operation)>;
void inject_file_faults(FileFault fault);

/// Whether a test lets this change fail; errno is set then.
bool injected_file_fault(FileOperation operation, size_t* bytes = nullptr);

}  // namespace logodds
