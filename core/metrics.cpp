#include "core/metrics.h"

#include <algorithm>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>

#include "core/error.h"
#include "core/files.h"
#include "core/json.h"

namespace logodds {

MetricsFile::MetricsFile(std::filesystem::path path, uint64_t offset) : path_(std::move(path)), offset_(offset) {
  std::error_code error;
  if (!std::filesystem::exists(path_)) std::ofstream create(path_);
  const auto size = std::filesystem::file_size(path_, error);
  if (error) throw io_error(path_.string() + ": cannot open: " + error.message());
  if (size < offset_) {
    throw io_error(path_.string() + ": is shorter than its checkpoint says (" + std::to_string(size) + " < " +
                   std::to_string(offset_) + " bytes)");
  }
  std::filesystem::resize_file(path_, offset_, error);
  if (error) throw io_error(path_.string() + ": cannot cut back: " + error.message());
}

void MetricsFile::append(const std::vector<Row>& rows) {
  std::string lines;
  for (const auto& row : rows) lines += row.dump() + "\n";
  std::ofstream file(path_, std::ios::app | std::ios::binary);
  file << lines;
  file.close();
  if (!file) throw io_error(path_.string() + ": cannot append (is the disk full?)");
  offset_ += lines.size();
}

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
