#pragma once

#include <map>
#include <vector>

#include "core/calibration.h"
#include "training/hook.h"

namespace logodds {

/// How much of a network's logits is scale. Columns logit_bloat.X_train and .X_test (no X_test where there is no
/// test set), X being
///   rms              ρ, root mean square of the class-centred logits, nats
///   s_star           argmin_s L(s); null where it is infinite, which happens once every sample is right
///   temperature      T* = 1/s*; 0 where s* is infinite, null where s* ≤ 0
///   calibration_gap  L(1) - L(s*), nats
///   delta, radial, shape                     change of the loss since the last observation and its exact split into
///                                            what scaling did and what the shape of the logits did, nats
///   radial_total, shape_total                their sums since the first observation
/// and logit_bloat.index = -ln s*_test: above 0 the logits are larger than the evidence warrants. Null where s* ≤ 0.
class LogitBloat : public Hook {
 public:
  struct Options {
    int64_t every_steps = 100;
    void fields(Fields& fields);
  };
  explicit LogitBloat(const Options& options) : options_(options) {}

  int64_t every_steps() const override { return options_.every_steps; }
  void observe(const Snapshot& snapshot, Row& row) override;
  NamedTensors state() const override;
  void restore(const NamedTensors& state, const LogitsOf& logits_of) override;

 private:
  /// Of the train or the test set at the last observation; radial and shape since the first.
  struct OfSet {
    double rms = 0, loss = 0, s_star = 1, radial = 0, shape = 0;
    static constexpr int64_t kNumbers = 5;
  };
  struct Memory {
    Tensor flat;       ///< weights at the last observation: they are saved, the logits are computed from them again
    Tensor logits_NV;  ///< logits there
    OfSet train, test;
  };
  void observe_set(const Snapshot& snapshot, const Tensor& samples_B, const char* set, OfSet Memory::*of_set, Row& row);

  Options options_;
  std::map<int64_t, Memory> memories_;
};

}  // namespace logodds
