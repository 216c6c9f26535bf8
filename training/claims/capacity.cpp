#include "training/claims/capacity.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "core/error.h"
#include "core/log_odds.h"
#include "core/statistics.h"
#include "models/forecaster_ensemble.h"

namespace logodds {

namespace {

/// Whether N distinct examples were all learnt, by N.
using Memorised = std::map<int64_t, bool>;

/// Weights of the features shown and of all that comes after them. A forecaster_ensemble has a slice of its tensors for
/// each feature, other networks a row of their first layer; those of hidden features do nothing.
int64_t acting_weights(const Trained& run, int64_t features) {
  const bool ensemble = dynamic_cast<const ForecasterEnsemble*>(&run.model) != nullptr;
  int64_t count = 0;
  for (const auto& spec : run.parameters.specs()) {
    int64_t size = 1;
    for (const int64_t length : spec.shape) size *= length;
    const bool per_feature = spec.name == "blocks.0.mlp.W_in" || (ensemble && spec.name != "unembed.b_U");
    count += per_feature ? size * run.world->shown() / features : size;
  }
  return count;
}

double largest_memorised(const Memorised& memorised) {
  double area = 0, N = 0, before = 1;
  for (const auto& [size, all_right] : memorised) {
    const double now = all_right ? 1 : 0;
    area += (static_cast<double>(size) - N) * (before + now) / 2;
    N = static_cast<double>(size);
    before = now;
  }
  if (before == 1)
    throw Error("capacity: the largest 'train_size' was memorised; larger ones are needed to find the limit");
  return area - 0.5;
}

}  // namespace

std::vector<Figure> CapacityClaim::figures(const std::vector<Trained>& runs) const {
  std::map<int64_t, Memorised> by_weights;
  bool linear = true;
  for (const auto& run : runs) {
    const int64_t features = run.test.inputs_NF.size(1), weights = run.parameters.count();
    linear = linear && weights == features;
    const int64_t distinct = std::get<0>(at::unique_dim(run.train.inputs_NF, 0)).size(0);
    const bool all_right = accuracy(run.train_logits, run.train.targets_N).item<double>() == 1;
    by_weights[acting_weights(run, features)][distinct] = all_right;
  }
  std::vector<Figure> rows;
  std::vector<double> weights, largest;
  for (const auto& [n, memorised] : by_weights) {
    weights.push_back(static_cast<double>(n));
    largest.push_back(largest_memorised(memorised));
    rows.push_back({"random labels memorised by " + std::to_string(n) + " weights",
                    linear ? 2 * weights.back() : std::nan(""), largest.back()});
  }
  if (rows.size() > 1)
    rows.push_back(
        {"random labels per weight (slope)", linear ? 2 : std::nan(""), least_squares_slope(weights, largest)});
  return rows;
}

}  // namespace logodds
