#include "training/claims/unanimous.h"

#include <ATen/ATen.h>

#include <cmath>

#include "core/error.h"
#include "core/log_odds.h"
#include "core/statistics.h"

namespace logodds {

namespace {

/// Which test examples [N] have every shown feature speak for class `classes[n]` of two.
Tensor unanimous(const Trained& run, const Tensor& classes_N) {
  if (run.test_logits.size(1) != 2 || std::isnan(run.world->unanimous_odds()))
    throw Error("unanimous features are of the channels 'coin' and 'erasure' with two classes");
  Tensor all = at::ones_like(classes_N, at::kBool);
  for (int64_t i = 0; i < run.world->shown(); ++i) {
    // Without the prior, which every feature's posterior has in it, only the reading's sign remains.
    const Tensor log_odds = run.world->feature_log_odds(i, run.test.inputs_NF);
    const Tensor none = run.world->feature_log_odds(i, at::zeros_like(run.test.inputs_NF).narrow(0, 0, 1));
    all = all.logical_and((log_odds - none).gather(1, classes_N.unsqueeze(1)).squeeze(1).gt(0));
  }
  return all.nonzero().squeeze(1);
}

std::string all_features(const Trained& run) { return " where all " + std::to_string(run.world->shown()); }

}  // namespace

std::vector<Figure> UnanimousOddsClaim::figures(const std::vector<Trained>& runs) const {
  std::vector<Figure> rows;
  for (const auto& run : runs) {
    const Tensor logits = run.test_logits.index_select(0, unanimous(run, at::ones_like(run.test.targets_N)));
    rows.push_back({"odds" + all_features(run) + " say 1", run.world->unanimous_odds(),
                    std::exp((logits.select(1, 1) - logits.select(1, 0)).mean().item<double>())});
  }
  return rows;
}

std::vector<Figure> UnanimousLossClaim::figures(const std::vector<Trained>& runs) const {
  std::vector<Figure> rows;
  std::vector<double> shown, exact, measured;
  for (const auto& run : runs) {
    const Tensor chosen = unanimous(run, run.test.targets_N);
    const double loss =
        cross_entropy(run.test_logits.index_select(0, chosen), run.test.targets_N.index_select(0, chosen))
            .mean()
            .item<double>();
    rows.push_back({"loss" + all_features(run) + " are right", std::log1p(1 / run.world->unanimous_odds()), loss});
    shown.push_back(static_cast<double>(run.world->shown()));
    exact.push_back(std::log(rows.back().theory));
    measured.push_back(std::log(loss));
  }
  if (runs.size() < 2) return rows;
  const double slope = least_squares_slope(shown, measured),
               odds = std::pow(runs.front().world->unanimous_odds(), 1 / shown.front());
  rows.push_back({"slope of its logarithm per feature", least_squares_slope(shown, exact), slope});
  rows.push_back({"limit of that for many features", -std::log(odds), slope});
  return rows;
}

}  // namespace logodds
