#include "training/claim.h"

#include <cmath>

#include "core/error.h"
#include "core/statistics.h"

namespace logodds {

std::vector<TableRow> table_rows(const Claim& claim, const std::vector<std::vector<Trained>>& runs_of_seeds) {
  std::vector<std::vector<Figure>> of_seeds;
  for (const auto& runs : runs_of_seeds) of_seeds.push_back(claim.figures(runs));
  std::vector<TableRow> rows;
  for (size_t i = 0; i < of_seeds.front().size(); ++i) {
    std::vector<double> theory, measured, difference;
    for (const auto& figures : of_seeds) {
      const Figure& figure = figures.at(i);
      theory.push_back(figure.theory);
      measured.push_back(figure.measured);
      difference.push_back(std::isnan(figure.theory) ? figure.measured : figure.measured - figure.theory);
    }
    const double mean = mean_interval(measured).mean;
    const MeanInterval spread = mean_interval(difference);
    rows.push_back({of_seeds.front()[i].what, mean_interval(theory).mean, mean, mean + spread.low - spread.mean,
                    mean + spread.high - spread.mean, of_seeds.size()});
  }
  return rows;
}

}  // namespace logodds
