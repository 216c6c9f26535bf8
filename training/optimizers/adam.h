#pragma once

#include "training/optimizers/adamw.h"
#include "training/transforms/l2_penalty.h"

namespace logodds {

/// Adam with L2 decay in the gradient, as in PyTorch: AdamW's update without its decay, of g + λ w, λ = weight_decay.
class Adam : public Optimizer {
 public:
  struct Options {
    PerRun<double> learning_rate{1e-3};
    PerRun<double> weight_decay{0.0};
    PerRun<double> beta1{0.9};
    PerRun<double> beta2{0.999};
    PerRun<double> epsilon{1e-8};
    void fields(Fields& fields);
  };
  Adam(const Options& options, const Parameters& parameters);

  void step(Parameters& parameters, const Tensor& factor) override;
  double learning_rate(int64_t run) const override { return adamw_.learning_rate(run); }
  NamedTensors state() const override { return adamw_.state(); }
  void restore(const NamedTensors& state) override { adamw_.restore(state); }

 private:
  L2Penalty decay_;
  AdamW adamw_;
};

}  // namespace logodds
