#pragma once

#include "models/circuits/path_circuits.h"

namespace logodds {

/// Modular addition: bias + direct path + the neurons of the last hidden layer, grouped by the frequency of their
/// activation h_j(a,b): κ is the one whose modes {(κ,0), (0,κ), (κ,±κ)} hold most of its variance, and the neuron
/// belongs to the cluster "κ=14" where they hold at least `threshold`, else to "unassigned".
///   f = b + f_direct + Σ_G Σ_{j∈G} h_j W_L[j,·]
/// "direct" is all that reaches the logits past the last hidden layer; "bias" the bias vectors after it. Parts that a
/// model lacks are left out. The ideal quadratic neuron (cos x + cos y)² reaches a share of .8. Throws Error unless the
/// inputs are all pairs of Z_p in the order a·p + b.
class NeuronClusters : public PathCircuits {
 public:
  struct Options {
    double threshold = 0.85;
    void fields(Fields& fields);
  };
  NeuronClusters(const Options& options, const Observed& observed);

  /// Neurons of each part, [P]; 0 for "bias" and "direct".
  const std::vector<int64_t>& neurons() const { return neurons_; }

 private:
  std::vector<int64_t> neurons_;
};

}  // namespace logodds
