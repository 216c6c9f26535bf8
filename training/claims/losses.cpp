#include "training/claims/losses.h"

#include <ATen/ATen.h>

#include <cmath>

#include "core/calibration.h"
#include "core/log_odds.h"
#include "core/statistics.h"

namespace logodds {

namespace {

double expected_loss(const Trained& run) {
  const double temperature = run.world->temperature();
  return std::isnan(temperature) ? temperature : run.world->loss(temperature).value;
}

double test_loss(const Trained& run) {
  return cross_entropy(run.test_logits, run.test.targets_N).mean().item<double>();
}

}  // namespace

std::vector<Figure> LossClaim::figures(const std::vector<Trained>& runs) const {
  std::vector<Figure> rows;
  for (const auto& run : runs) rows.push_back({"test loss" + run.tag(), expected_loss(run), test_loss(run)});
  return rows;
}

std::vector<Figure> ExcessClaim::figures(const std::vector<Trained>& runs) const {
  std::vector<Figure> rows;
  for (const auto& run : runs) {
    const Tensor excess = divergence(run.world->posterior(run.test.inputs_NF), run.test_logits);
    rows.push_back(
        {"excess risk" + run.tag(), expected_loss(run) - run.world->loss(1).value, excess.mean().item<double>()});
  }
  return rows;
}

std::vector<Figure> GainClaim::figures(const std::vector<Trained>& runs) const {
  std::vector<Figure> rows;
  for (size_t i = 1; i < runs.size(); ++i) {
    const Trained &before = runs[i - 1], &after = runs[i];
    rows.push_back({"gain from " + before.label + " to " + after.label, expected_loss(before) - expected_loss(after),
                    test_loss(before) - test_loss(after)});
  }
  return rows;
}

std::vector<Figure> LossSlopeClaim::figures(const std::vector<Trained>& runs) const {
  std::vector<double> shown, exact, measured;
  for (const auto& run : runs) {
    shown.push_back(static_cast<double>(run.world->shown()));
    exact.push_back(std::log(expected_loss(run)));
    measured.push_back(std::log(test_loss(run)));
  }
  const double slope = least_squares_slope(shown, measured);
  std::vector<Figure> rows{{"slope of ln L per feature", least_squares_slope(shown, exact), slope}};
  if (!std::isnan(runs.front().world->loss_rate()))
    rows.push_back({"its limit for many features", runs.front().world->loss_rate(), slope});
  return rows;
}

std::vector<Figure> TemperatureClaim::figures(const std::vector<Trained>& runs) const {
  std::vector<Figure> rows;
  for (const auto& run : runs) {
    const double scale = optimal_scale(run.test_logits, run.test.targets_N).scale;
    rows.push_back({"optimal temperature" + run.tag(), run.world->temperature(), 1 / scale});
  }
  return rows;
}

}  // namespace logodds
