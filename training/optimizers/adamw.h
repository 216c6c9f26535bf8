#pragma once

#include "training/optimizer.h"

namespace logodds {

/// Adam with decoupled weight decay (Loshchilov and Hutter 2019), as in PyTorch:
///   w ← (1 - η λ) w;  m ← β₁ m + (1-β₁) g;  v ← β₂ v + (1-β₂) g²
///   w ← w - η (m / (1-β₁^t)) / (√(v / (1-β₂^t)) + ε)
/// with η = learning_rate · factor, every number per run, on every weight, biases and embeddings included; in one pass.
/// On the CPU by adamw_kernel.h, on a GPU in one kernel for all runs (adamw_loops.h).
class AdamW : public Optimizer {
 public:
  struct Options {
    PerRun<double> learning_rate{1e-3};
    PerRun<double> weight_decay{1.0};
    PerRun<double> beta1{0.9};
    PerRun<double> beta2{0.98};
    PerRun<double> epsilon{1e-8};
    void fields(Fields& fields);
  };
  AdamW(const Options& options, const Parameters& parameters);

  void step(Parameters& parameters, const Tensor& factor) override;
  double learning_rate(int64_t run) const override { return options_.learning_rate.at(static_cast<size_t>(run)); }
  NamedTensors state() const override;
  void restore(const NamedTensors& state) override;

  /// `step` by adamw_loops.h, on any device: what a GPU runs. Tests hold both against LibTorch's fused operator.
  void step_by_loops(Parameters& parameters, const Tensor& factor);

 private:
  void step_by_kernel(Parameters& parameters, double factor);

  Options options_;
  Tensor learning_rate_R_, decay_R_, beta1_R_, beta2_R_, epsilon_R_;  ///< float64, where the weights are
  Tensor mean_;                                                       ///< m [R, n]
  Tensor square_;                                                     ///< v [R, n]
  Tensor updates_;                                                    ///< t, one number
};

}  // namespace logodds
