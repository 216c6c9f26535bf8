#include "core/metrics.h"

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "core/error.h"
#include "core/files.h"

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

std::vector<Row> read_metrics(const std::filesystem::path& path) {
  std::istringstream text(read_file(path));
  std::vector<Row> rows;
  std::string line;
  for (size_t number = 1; std::getline(text, line); ++number) {
    if (text.eof()) break;
    Row row = Row::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!row.is_object()) throw io_error(path.string() + ":" + std::to_string(number) + ": not a JSON object");
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace logodds
