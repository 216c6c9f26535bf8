#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

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

  /// Bytes written so far; all of them are in the file.
  uint64_t offset() const { return offset_; }

 private:
  std::filesystem::path path_;
  uint64_t offset_;
};

/// All rows of a metrics file; a last line without an end is being written, or was when its process was killed, and is
/// left out; another line that is no Row is an I/O Error that names file and line.
std::vector<Row> read_metrics(const std::filesystem::path& path);

}  // namespace logodds
