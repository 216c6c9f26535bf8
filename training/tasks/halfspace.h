#pragma once

#include "training/tasks/sampled.h"

namespace logodds {

/// x_i ~ N(0, 1), class 1[w·x > 0] with w_i ~ N(0, 1) drawn from the run's seed. With S shown and U not,
///   P(1 | x_S) = Φ(w_S·x_S / ‖w_U‖),
/// which is not the sum of the single features' log-odds. Log-odds are cut at ±100 nats, also where all is shown.
class Halfspace : public SampledTask {
 public:
  struct Options {
    int64_t features = 8;
    PerRun<int64_t> shown{0};
    SampleOptions sizes;
    void fields(Fields& fields);
  };

  /// Throws Error where more features are shown than there are.
  explicit Halfspace(const Options& options);

  InputShape shape() const override { return {.tokens = 0, .positions = options_.features, .classes = 2}; }
  std::unique_ptr<World> world(size_t run, int64_t seed) const override;

 private:
  Options options_;
};

}  // namespace logodds
