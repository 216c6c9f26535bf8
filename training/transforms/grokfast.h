#pragma once

#include "training/transform.h"

namespace logodds {

/// Grokfast (Lee et al. 2024, arXiv 2405.20233): the gradient's slow part is amplified, g ← g + λ s with λ =
/// amplification and
///   ema: s ← α s + (1-α) g, s = g at the first step (α = decay; published λ = 2, α = .98)
///   ma:  s = mean of the last `window_steps` gradients, nothing until there are so many (published λ = 5, 100 steps);
///        keeps them all.
class Grokfast : public Transform {
 public:
  struct Options {
    std::string filter = "ema";
    PerRun<double> amplification{2.0};
    PerRun<double> decay{0.98};
    int64_t window_steps = 100;
    void fields(Fields& fields);
  };
  Grokfast(const Options& options, const Parameters& parameters);
  void change_gradient(Parameters& parameters) override;
  NamedTensors state() const override { return {{"slow", slow_}, {"steps", steps_}}; }
  void restore(const NamedTensors& state) override;

 private:
  bool ema() const { return options_.filter == "ema"; }

  Options options_;
  Tensor amplification_R1_, decay_R1_;  ///< in the gradient's dtype
  Tensor slow_;                         ///< s [R,n]; or the last gradients [window_steps,R,n], the oldest overwritten
  Tensor steps_;                        ///< steps so far, [1]
};

}  // namespace logodds
