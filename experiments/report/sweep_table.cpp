#include "experiments/report/sweep_table.h"

#include <spdlog/fmt/fmt.h>

#include <cmath>
#include <functional>

#include "experiments/report/table.h"

namespace logodds {

namespace {

/// "650 (600 to 700)"; the interval is left out where it is no interval.
std::string with_interval(const Row& row, const std::string& name, const std::function<std::string(double)>& text) {
  const double median = number(row, name), low = number(row, name + "_low"), high = number(row, name + "_high");
  if (std::isnan(median)) return "–";
  if (low == high) return text(median);
  return text(median) + " (" + text(low) + " to " + text(high) + ")";
}

}  // namespace

std::string summary_text(const std::vector<std::string>& keys, const std::vector<Row>& rows) {
  const bool bloat = !rows.empty() && rows.front().contains("logit_bloat.index");
  std::vector<std::string> header = keys;
  for (const char* name : {"grokked", "steps to grok", "gap", "test accuracy", "test loss"}) header.emplace_back(name);
  if (bloat) header.emplace_back("bloat index");
  Table table(header);
  for (const auto& row : rows) {
    const auto budget = row.at("budget_steps").get<int64_t>();
    const auto steps = [&](double value) { return std::isinf(value) ? fmt::format("> {}", budget) : figure(value, 9); };
    const auto gap = [&](double value) { return std::isinf(value) ? std::string("not seen") : figure(value, 9); };
    const auto share = [](double value) { return percent(value); };
    const auto plain = [](double value) { return figure(value, 3); };
    std::vector<std::string> cells;
    for (const auto& key : keys) cells.push_back(row.at(key).get<std::string>());
    cells.push_back(fmt::format("{}/{}", row.at("grokked").get<size_t>(), row.at("runs").get<size_t>()));
    cells.push_back(with_interval(row, "test_grok_step", steps));
    cells.push_back(with_interval(row, "grok_gap_steps", gap));
    cells.push_back(with_interval(row, "test_accuracy", share));
    cells.push_back(with_interval(row, "test_loss", plain));
    if (bloat) cells.push_back(with_interval(row, "logit_bloat.index", plain));
    table.add(std::move(cells));
  }
  return table.text();
}

std::string columns_text(const std::vector<std::string>& keys, const std::vector<Row>& rows,
                         const std::vector<std::string>& columns) {
  std::vector<std::string> header = keys;
  header.insert(header.end(), columns.begin(), columns.end());
  Table table(header);
  for (const auto& row : rows) {
    std::vector<std::string> cells;
    for (const auto& key : keys) cells.push_back(row.at(key).get<std::string>());
    for (const auto& column : columns) {
      cells.push_back(with_interval(row, column, [](double value) { return figure(value, 3); }));
    }
    table.add(std::move(cells));
  }
  return table.text();
}

}  // namespace logodds
