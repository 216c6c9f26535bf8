#include "experiments/theory.h"

#include <algorithm>

#include "experiments/report/csv.h"
#include "experiments/report/figures/figures.h"
#include "experiments/report/table.h"

namespace logodds {

Figures theory(const Material& material) {
  const auto inspection = material.weights(material.chosen().front());
  if (inspection->experiment().options().theory.empty()) return {};
  const Row table = theory_table(*inspection);
  ReportFigure figure{
      .id = "theory",
      .title = "Theory and measurement",
      .caption = "Open: what theory states; filled: measured, mean over the seeds with its 95 % interval.",
      .formula =
          "each claim as logodds list claims states it; the interval is the spread between seeds of "
          "measured minus stated"};
  std::vector<std::string> claims;
  for (const auto& row : table) {
    const auto claim = row.at("claim").get<std::string>();
    if (std::ranges::count(claims, claim) == 0) claims.push_back(claim);
  }
  for (const auto& claim : claims) {
    std::vector<std::string> places;
    Row stated{{"kind", "points"},      {"name", "theory"},  {"symbol", "circle-open"},
               {"about", Row::array()}, {"colour", 1},       {"when", nullptr},
               {"x", Row::array()},     {"y", Row::array()}, {"open", Row::array()}};
    Row measured{{"kind", "interval"}, {"name", "measured"},  {"about", "measured"},
                 {"colour", 0},        {"when", nullptr},     {"x", Row::array()},
                 {"y", Row::array()},  {"low", Row::array()}, {"high", Row::array()}};
    for (const auto& row : table) {
      if (row.at("claim").get<std::string>() != claim) continue;
      const auto place = static_cast<double>(places.size());
      places.push_back(row.at("what").get<std::string>());
      stated["x"].push_back(place);
      stated["y"].push_back(drawn(number(row, "theory")));
      stated["open"].push_back(true);
      stated["about"].push_back("theory, " + places.back());
      measured["x"].push_back(place);
      measured["y"].push_back(drawn(number(row, "measured")));
      measured["low"].push_back(drawn(number(row, "low")));
      measured["high"].push_back(drawn(number(row, "high")));
    }
    figure.panels.push_back(
        {{"x", ""}, {"places", places}, {"y", claim}, {"log_y", false}, {"series", {measured, stated}}});
  }
  figure.csv = to_csv(std::vector<Row>(table.begin(), table.end()));
  return {std::move(figure)};
}

}  // namespace logodds
