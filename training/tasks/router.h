#pragma once

#include "training/tasks/sampled.h"

namespace logodds {

/// Each example belongs to one of k features, all equally likely: that one reads ±1, the class with probability q, and
/// all others read 0. So the features share out the examples among them, where those of `forecasters` multiply odds;
/// both add log-odds exactly: ln P(c | x) = Σ_i ln P(c | x_i) + const. L = s H(q) + (1-s) ln 2, s the share of features
/// shown.
class Router : public SampledTask {
 public:
  struct Options {
    int64_t features = 4;
    PerRun<int64_t> shown{0};
    PerRun<double> accuracy{0.99};
    SampleOptions sizes;
    void fields(Fields& fields);
  };

  /// Throws Error where more features are shown than there are.
  explicit Router(const Options& options);

  InputShape shape() const override { return {.tokens = 0, .positions = options_.features, .classes = 2}; }
  std::unique_ptr<World> world(size_t run, int64_t seed) const override;

 private:
  Options options_;
};

}  // namespace logodds
