#pragma once

#include "models/circuits/stored_circuits.h"

namespace logodds {

/// Input times gradient. Where all activations are relu, f is inside its region a linear function of the input and of
/// the biases together, so
///   f(x) = Σ_G Σ_{i∈G} x_i ∂f/∂x_i + Σ_l b_l ∂f/∂b_l
/// with the groups G of feature_groups.h: "patch 1.1", … and "bias". Throws Error for token inputs, and where the parts
/// do not make up the logits: the model is then not of that kind.
class InputGradient : public StoredCircuits {
 public:
  struct Options {
    int64_t rows = 4;
    int64_t columns = 4;
    void fields(Fields& fields);
  };
  InputGradient(const Options& options, const Observed& observed);
};

}  // namespace logodds
