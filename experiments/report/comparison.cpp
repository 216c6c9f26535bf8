#include "experiments/report/comparison.h"

#include <cmath>

#include "experiments/report/table.h"

namespace logodds {

std::string measured_text(const Row& row) {
  if (row.contains("more_than")) return "> " + figure(number(row, "more_than"), 9);
  return figure(number(row, "measured"));
}

std::string interval_text(const Row& row) {
  const double low = number(row, "low"), high = number(row, "high");
  if (std::isnan(low)) return "−";
  return figure(low) + (std::isnan(high) ? " or more" : " to " + figure(high));
}

std::string comparison_text(const Row& rows, const std::string& expected) {
  const bool verdicts = !rows.empty() && rows.front().contains("verdict");
  std::vector<std::string> header{"", expected, "measured", "95 % interval"};
  if (verdicts) header.insert(header.end(), {"runs", "verdict"});
  Table table(header);
  std::string reasons;
  for (const auto& row : rows) {
    const Row& cell = row.at(expected);
    std::vector<std::string> cells{row.at("what"),
                                   cell.is_string() ? cell.get<std::string>() : figure(number(row, expected)),
                                   measured_text(row), interval_text(row)};
    if (verdicts) cells.insert(cells.end(), {row.at("runs").dump(), row.at("verdict")});
    table.add(std::move(cells));
    if (row.contains("reason"))
      reasons += row.at("what").get<std::string>() + ": " + row.at("reason").get<std::string>() + "\n";
  }
  return table.text() + (reasons.empty() ? "" : "\n" + reasons);
}

}  // namespace logodds
