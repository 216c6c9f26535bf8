#include "training/claim.h"

#include "core/error.h"
#include "core/statistics.h"

namespace logodds {

std::vector<TableRow> table_rows(const Claim& claim, const std::vector<std::vector<Trained>>& runs_of_seeds) {
  std::vector<std::vector<Figure>> of_seeds;
  for (const auto& runs : runs_of_seeds) of_seeds.push_back(claim.figures(runs));
  std::vector<TableRow> rows;
  for (size_t i = 0; i < of_seeds.front().size(); ++i) {
    std::vector<double> theory, measured;
    for (const auto& figures : of_seeds) {
      theory.push_back(figures.at(i).theory);
      measured.push_back(figures.at(i).measured);
    }
    const MeanInterval mean = mean_interval(measured);
    rows.push_back(
        {of_seeds.front()[i].what, mean_interval(theory).mean, mean.mean, mean.low, mean.high, of_seeds.size()});
  }
  return rows;
}

}  // namespace logodds
