#pragma once

#include "training/hook.h"
#include "training/hooks/last_observed.h"

namespace logodds {

/// How fast the weights turn and how much there is left to learn from. Of all weights w (as one vector) since the
/// hook's last observation of the run, with every_steps = 1 the figures of one step; null at the first:
///   effective_rates.angular_step  ‖Δw⊥‖/‖w‖, Δw⊥ the change's part orthogonal to w, the weights before
///   effective_rates.radial_step   w·Δw/‖w‖², the relative growth to first order
/// and now
///   effective_rates.signal        E[1 - p_y] on the training set, p by an accurate softmax
///   effective_rates.signal_rate   η E[1 - p_y], η the learning rate of this step, schedule included
class EffectiveRates : public Hook {
 public:
  struct Options {
    int64_t every_steps = 100;
    void fields(Fields& fields);
  };
  explicit EffectiveRates(const Options& options) : options_(options) {}

  int64_t every_steps() const override { return options_.every_steps; }
  void observe(const Snapshot& snapshot, Row& row) override;
  NamedTensors state() const override { return last_.state(); }
  void restore(const NamedTensors& state, const LogitsOf&) override { last_.restore(state); }

 private:
  Options options_;
  LastObserved last_;  ///< weights at the last observation
};

}  // namespace logodds
