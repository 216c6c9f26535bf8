#pragma once

#include "training/tasks/channels.h"
#include "training/tasks/sampled.h"

namespace logodds {

/// k forecasters of one class: x_1 … x_k are independent given the class c, each through the same sort of channel
/// (training/tasks/channels.h), so that exactly
///   ln P(c | x) = Σ_i ln P(c | x_i) - (k-1) ln π_c + const.
/// What breaks that: `copies` (the last ones repeat the first ones' readings), `correlation` ρ of gaussian readings.
/// `told: 0` hides both from the training examples: their features are independent given the class, and a network that
/// learns from them adds evidence that it should not. Features past the first `shown` read 0: they cannot be learnt.
class Forecasters : public SampledTask {
 public:
  struct Options {
    std::string channel = "gaussian";
    int64_t features = 4;
    int64_t classes = 2;
    PerRun<int64_t> shown{0};
    int64_t copies = 0;
    PerRun<int64_t> told{1};
    PerRun<double> strength{1.0};
    PerRun<double> accuracy{0.75};
    PerRun<double> erasure{0.5};
    PerRun<double> correlation{0.0};
    double prior = 0.5;
    SampleOptions sizes;
    void fields(Fields& fields);
  };

  /// Throws Error for options that do not fit together.
  explicit Forecasters(const Options& options);

  InputShape shape() const override;
  std::unique_ptr<World> world(size_t run, int64_t seed) const override;

 protected:
  std::unique_ptr<World> training_world(size_t run, int64_t seed) const override;

 private:
  ChannelOptions channel(size_t run, int64_t seed) const;

  Options options_;
};

}  // namespace logodds
