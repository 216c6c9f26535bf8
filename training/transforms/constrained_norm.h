#pragma once

#include "training/transform.h"

namespace logodds {

/// After every update the weights are rescaled to the Euclidean norm that they had at initialisation: all of them as
/// one vector, as in Omnigrok (Liu et al. 2022, arXiv 2210.01117), or tensor by tensor (`scope`). What starts at 0,
/// such as a bias alone, is left free. The norm itself is set by the model's init_scale.
class ConstrainedNorm : public Transform {
 public:
  struct Options {
    std::string scope = "global";
    void fields(Fields& fields);
  };
  ConstrainedNorm(const Options& options, const Parameters& parameters);
  void change_weights(Parameters& parameters) override;
  NamedTensors state() const override { return {{"norms", norms_KR1_}}; }
  void restore(const NamedTensors& state) override { norms_KR1_.copy_(state.at("norms")); }

 private:
  Options options_;
  Tensor norms_KR1_;  ///< of each block, float64
};

}  // namespace logodds
