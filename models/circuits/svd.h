#pragma once

#include "models/circuits/class_modes.h"

namespace logodds {

/// Singular directions of the neuron-to-logit map W_L [M,V] (W_out W_U for a transformer), centred over the classes:
///   W_L = Σ_i σ_i u_i v_iᵀ,  f_i[b,·] = (f[b,·] · v_i) v_i, largest σ first.
/// The directions that W_L does not reach (σ_i ≤ max(M,V) ε σ_1) form the part "null space", which holds what the other
/// paths write there. Complete: the v_i are an orthonormal basis of the centred logits.
class Svd : public ClassModes {
 public:
  struct Options {
    void fields(Fields&) {}
  };
  Svd(const Options& options, const Observed& observed);

  /// σ_i of the parts "direction 1", "direction 2", …
  const Tensor& singular_values() const { return singular_values_; }

 private:
  struct Directions;
  explicit Svd(Directions directions);

  Tensor singular_values_;
};

}  // namespace logodds
