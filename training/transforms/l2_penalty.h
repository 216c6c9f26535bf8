#pragma once

#include "training/transform.h"

namespace logodds {

/// (λ/2) ‖w‖² over all weights, added to what is minimised: g ← g + λ w, λ = coefficient. The reported loss is that of
/// the data alone.
class L2Penalty : public Transform {
 public:
  struct Options {
    PerRun<double> coefficient{1e-4};
    void fields(Fields& fields);
  };
  L2Penalty(const Options& options, const Parameters& parameters);
  void change_gradient(Parameters& parameters) override;

 private:
  Tensor coefficient_R1_;
};

}  // namespace logodds
