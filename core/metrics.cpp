#include "core/metrics.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>

#include "core/error.h"
#include "core/files.h"
#include "core/json.h"

namespace logodds {

namespace {

/// The first `bytes` bytes of a file.
std::string beginning(const std::filesystem::path& path, uint64_t bytes) {
  std::string content = read_file(path);
  if (content.size() < bytes) {
    throw io_error(path.string() + ": is shorter than its checkpoint says (" + std::to_string(content.size()) + " < " +
                   std::to_string(bytes) + " bytes)");
  }
  content.resize(bytes);
  return content;
}

}  // namespace

MetricsFile::MetricsFile(std::filesystem::path path, uint64_t offset) : path_(std::move(path)), offset_(offset) {
  if (!std::filesystem::exists(path_)) append_to_file(path_, "");
  sum_.add(beginning(path_, offset_));
  if (std::filesystem::file_size(path_) > offset_) truncate_file(path_, offset_);
}

void MetricsFile::append(const std::vector<Row>& rows) {
  std::string lines;
  for (const auto& row : rows) lines += row.dump() + "\n";
  append_to_file(path_, lines);
  offset_ += lines.size();
  sum_.add(lines);
}

void MetricsFile::sync() const { sync_file(path_); }

std::string metrics_sha256(const std::filesystem::path& path, uint64_t bytes) { return sha256(beginning(path, bytes)); }

namespace {

/// What a line of a metrics file holds; `where` is its place.
Row read_row(const std::string& line, const std::string& where) {
  Row row = parse_json(line, where);
  constexpr uint64_t kMost = std::numeric_limits<int64_t>::max();
  for (const char* key : {"step", "run"}) {
    const auto found = row.find(key);
    const bool missing = found == row.end() && std::string_view(key) == "run";
    if (!missing && !(found != row.end() && found->is_number_unsigned() && *found <= kMost)) {
      throw io_error(where + ": not a row of metrics: '" + key + "' is not a whole number");
    }
  }
  const auto plain = [](const Row& value) { return value.is_primitive(); };
  for (const auto& [name, value] : row.items()) {
    if (plain(value) || (value.is_array() && std::ranges::all_of(value, plain))) continue;
    throw io_error(where + ": not a row of metrics: '" + name + "' is not a number, null, text or a list of them");
  }
  return row;
}

}  // namespace

std::vector<Row> read_metrics(const std::filesystem::path& path) {
  std::istringstream text(read_file(path));
  std::vector<Row> rows;
  std::string line;
  for (size_t number = 1; std::getline(text, line); ++number) {
    if (text.eof()) break;
    rows.push_back(read_row(line, path.string() + ":" + std::to_string(number)));
  }
  return rows;
}

}  // namespace logodds
