#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace logodds {

/// Whole content of a regular file of at most `max_bytes`; throws an I/O Error that names the file.
std::string read_file(const std::filesystem::path& path, uint64_t max_bytes = uint64_t{1} << 36);

/// Writes a file so that a crash leaves the old content or the new, never a mixture: temporary file beside it, every
/// write checked, fsync, rename, fsync of the directory. Throws an I/O Error that names the file.
void write_file_atomically(const std::filesystem::path& path, std::string_view content);

/// Makes a directory's entries durable.
void sync_directory(const std::filesystem::path& directory);

/// SHA-256 in lower-case hexadecimal.
std::string sha256(std::string_view content);

}  // namespace logodds
