#include "training/hooks/effective_rates.h"

#include <ATen/ATen.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "core/log_odds.h"

namespace logodds {

void EffectiveRates::Options::fields(Fields& fields) {
  fields.integer({"every_steps", "steps between observations"}, every_steps, at_least(1));
}

void EffectiveRates::observe(const Snapshot& snapshot, Row& row) {
  const Tensor now = snapshot.parameters.flat().select(0, 0).clone();
  double angular = std::nan(""), radial = std::nan("");
  if (const Tensor before = last_.exchange(snapshot.run, now); before.defined()) {
    const Tensor change = now.to(at::kDouble) - before;
    const Tensor share = before.dot(change) / before.dot(before);
    radial = share.item<double>();
    angular = ((change - share * before).norm() / before.norm()).item<double>();
  }
  const Tensor losses = cross_entropy(snapshot.logits_NV.index_select(0, snapshot.train_B),
                                      snapshot.targets_N.index_select(0, snapshot.train_B));
  const double signal = -losses.neg().expm1().mean().item<double>();
  row["effective_rates.angular_step"] = angular;
  row["effective_rates.radial_step"] = radial;
  row["effective_rates.signal"] = signal;
  row["effective_rates.signal_rate"] = snapshot.learning_rate * signal;
}

}  // namespace logodds
