#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/metrics.h"

namespace logodds {

/// Columns aligned for a terminal: the first to the left, the others to the right. Widths count characters, not bytes.
class Table {
 public:
  explicit Table(std::vector<std::string> header) { rows_.push_back(std::move(header)); }
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  void rule() { rows_.emplace_back(); }
  std::string text() const;

 private:
  std::vector<std::vector<std::string>> rows_;  ///< an empty row is a rule
};

/// A figure of a row; NaN where it is lacking or null.
double number(const Row& row, const std::string& key);

/// A number for people: three or so significant digits, "1.2e-05", "−" for what is not defined.
std::string figure(double value, int digits = 4);
std::string percent(double share);  ///< "97.3 %"
std::string signed_figure(double value, int digits = 4);

/// Evidence of `nats` as odds: "7.39 : 1", "1 : 20.1".
std::string odds(double nats);

}  // namespace logodds
