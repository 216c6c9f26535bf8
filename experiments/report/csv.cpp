#include "experiments/report/csv.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <unordered_map>

namespace logodds {

namespace {

std::string escaped(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string inside;
  for (const char c : text) inside += c == '"' ? std::string("\"\"") : std::string(1, c);
  return "\"" + inside + "\"";
}

std::string cell(const Row& value) {
  if (value.is_null()) return "";
  if (value.is_string()) return escaped(value.get<std::string>());
  if (value.is_number_float() && std::isinf(value.get<double>())) return value.get<double>() > 0 ? "inf" : "-inf";
  if (value.is_number_float() && std::isnan(value.get<double>())) return "";
  return escaped(value.dump());
}

}  // namespace

std::string to_csv(const std::vector<Row>& rows, bool vectors) {
  std::vector<std::string> header;
  std::unordered_map<std::string, size_t> column_of;
  std::vector<std::vector<std::string>> cells;
  for (const auto& row : rows) {
    auto& line = cells.emplace_back(header.size());
    const auto put = [&](const std::string& column, const Row& value) {
      const auto [found, fresh] = column_of.try_emplace(column, header.size());
      if (fresh) header.push_back(column);
      line.resize(header.size());
      line[found->second] = cell(value);
    };
    for (const auto& [column, value] : row.items()) {
      if (!value.is_array()) put(column, value);
      for (size_t i = 0; vectors && value.is_array() && i < value.size(); ++i) {
        put(column + "[" + std::to_string(i) + "]", value[i]);
      }
    }
  }
  std::string text;
  for (size_t i = 0; i < header.size(); ++i) text += (i > 0 ? "," : "") + escaped(header[i]);
  text += "\n";
  for (auto& line : cells) {
    line.resize(header.size());
    for (size_t i = 0; i < line.size(); ++i) text += (i > 0 ? "," : "") + line[i];
    text += "\n";
  }
  return text;
}

}  // namespace logodds
