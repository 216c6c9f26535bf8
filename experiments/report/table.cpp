#include "experiments/report/table.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>

namespace logodds {

namespace {

size_t width_of(const std::string& text) {
  return static_cast<size_t>(std::ranges::count_if(text, [](char c) { return (c & 0xc0) != 0x80; }));
}

}  // namespace

std::string Table::text() const {
  std::vector<size_t> widths(rows_.front().size());
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  size_t total = 2 * (widths.size() - 1);
  for (const size_t width : widths) total += width;
  std::string text;
  for (const auto& row : rows_) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      const std::string space(widths[i] - width_of(row[i]), ' ');
      line += (i == 0 ? row[i] + space : "  " + space + row[i]);
    }
    if (row.empty()) {
      for (size_t i = 0; i < total; ++i) line += "─";
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

double number(const Row& row, const std::string& key) {
  const auto found = row.find(key);
  return found == row.end() || !found->is_number() ? std::nan("") : found->get<double>();
}

std::string figure(double value, int digits) {
  if (std::isnan(value)) return "–";
  if (std::isinf(value)) return value > 0 ? "∞" : "-∞";
  return fmt::format("{:.{}g}", value, digits);
}

std::string signed_figure(double value, int digits) { return (value >= 0 ? "+" : "") + figure(value, digits); }

std::string percent(double share) { return std::isnan(share) ? "–" : fmt::format("{:.1f} %", 100 * share); }

std::string odds(double nats) {
  return nats >= 0 ? figure(std::exp(nats), 3) + " : 1" : "1 : " + figure(std::exp(-nats), 3);
}

}  // namespace logodds
