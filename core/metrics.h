#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "core/sha256.h"

namespace logodds {

/// One evaluation of one run: column name to number, null, text or vector of these; `step` and `run` are whole numbers.
/// JSON has no infinities and no NaN: an undefined or infinite figure is null.
using Row = nlohmann::ordered_json;

/// The metrics file: one JSON object per line, append-only.
class MetricsFile {
 public:
  /// Opens for appending after byte `offset`; what stands behind it is cut off. Throws an I/O Error.
  MetricsFile(std::filesystem::path path, uint64_t offset);

  /// Appends the rows in one write.
  void append(const std::vector<Row>& rows);

  /// Makes what was appended durable: to be called before a checkpoint says that it is there.
  void sync() const;

  /// Bytes written so far, all of them in the file; and their SHA-256.
  uint64_t offset() const { return offset_; }
  std::string sha256() const { return sum_.text(); }

 private:
  std::filesystem::path path_;
  uint64_t offset_;
  Sha256 sum_;
};

/// The SHA-256 of the first `bytes` bytes of a metrics file. Throws an I/O Error where it is shorter.
std::string metrics_sha256(const std::filesystem::path& path, uint64_t bytes);

/// All rows of a metrics file; a last line without an end is being written, or was when its process was killed, and is
/// left out; another line that is no Row is an I/O Error that names file and line.
std::vector<Row> read_metrics(const std::filesystem::path& path);

}  // namespace logodds
