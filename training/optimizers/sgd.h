#pragma once

#include "training/optimizer.h"

namespace logodds {

/// Gradient descent with momentum, as in PyTorch: u ← μ u + g + λ w (u = g + λ w at the first update), w ← w - η u,
/// with η = learning_rate · factor and λ = weight_decay (L2, coupled); η, λ, μ per run.
class Sgd : public Optimizer {
 public:
  struct Options {
    PerRun<double> learning_rate{0.1};
    PerRun<double> weight_decay{0.0};
    PerRun<double> momentum{0.0};
    void fields(Fields& fields);
  };
  Sgd(const Options& options, const Parameters& parameters);

  void step(Parameters& parameters, const Tensor& factor) override;
  double learning_rate(int64_t run) const override { return options_.learning_rate.at(static_cast<size_t>(run)); }
  NamedTensors state() const override { return {{"momentum", velocity_}}; }
  void restore(const NamedTensors& state) override { velocity_.copy_(state.at("momentum")); }

 private:
  Options options_;
  Tensor momentum_R1_;
  Tensor learning_rate_R1_;  ///< float64
  Tensor decay_R1_;
  Tensor velocity_;  ///< u [R, n]; starts at 0, which gives the first update its plain gradient
};

}  // namespace logodds
