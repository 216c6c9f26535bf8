#pragma once

#include "training/tasks/sampled.h"

namespace logodds {

/// n fair bits x_i = ±1, n odd; the class says whether most of them are +1. With k bits shown, of which s are +1,
///   P(1 | x) = Pr[Bin(n-k, 1/2) > n/2 - s],
/// which is not the sum of the single bits' log-odds: given the class, bits are dependent. Log-odds are cut at ±100
/// nats where the bits shown decide.
class Majority : public SampledTask {
 public:
  struct Options {
    int64_t features = 7;
    PerRun<int64_t> shown{0};
    SampleOptions sizes;
    void fields(Fields& fields);
  };

  /// Throws Error for an even n, and where more bits are shown than there are.
  explicit Majority(const Options& options);

  InputShape shape() const override { return {.tokens = 0, .positions = options_.features, .classes = 2}; }
  std::unique_ptr<World> world(size_t run, int64_t seed) const override;

 private:
  Options options_;
};

}  // namespace logodds
