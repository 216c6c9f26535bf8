#pragma once

#include "training/transform.h"

namespace logodds {

/// The L_{2,3} penalty of Morwani et al. 2023 (arXiv 2311.07568), added to what is minimised: λ Σ_j (‖u_j‖² + ‖v_j‖² +
/// ‖w_j‖²)^{3/2} over hidden neurons j, with u_j, v_j (together the neuron's column of W_in) and w_j (its row of W_U)
/// all weights into and out of it; λ = coefficient. Of one-hot inputs or features, one hidden layer and no biases;
/// throws Error for other models. The reported loss is that of the data alone.
class L23Penalty : public Transform {
 public:
  struct Options {
    PerRun<double> coefficient{1e-4};
    void fields(Fields& fields);
  };
  L23Penalty(const Options& options, const Parameters& parameters);
  void change_gradient(Parameters& parameters) override;

 private:
  Tensor coefficient_R1_;
};

}  // namespace logodds
