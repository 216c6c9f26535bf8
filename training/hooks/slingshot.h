#pragma once

#include "training/hook.h"
#include "training/hooks/last_observed.h"

namespace logodds {

/// slingshot.feature_change (Thilak et al. 2022, arXiv 2206.04817): ‖h' - h‖/‖h‖ of the last hidden layer's activations
/// on all training examples (Frobenius), h at the hook's last observation of the run and h' now; null at the first.
/// Spikes mark slingshots. Of models with a hidden layer; else an Error at the first observation.
class Slingshot : public Hook {
 public:
  struct Options {
    int64_t every_steps = 100;
    void fields(Fields& fields);
  };
  explicit Slingshot(const Options& options) : options_(options) {}

  int64_t every_steps() const override { return options_.every_steps; }
  void observe(const Snapshot& snapshot, Row& row) override;
  NamedTensors state() const override { return last_.state(); }
  void restore(const NamedTensors& state, const LogitsOf&) override { last_.restore(state); }

 private:
  Options options_;
  LastObserved last_;  ///< h [B,…] at the last observation
};

}  // namespace logodds
