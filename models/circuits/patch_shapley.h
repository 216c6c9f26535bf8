#pragma once

#include "models/circuits/stored_circuits.h"

namespace logodds {

/// Exact Shapley values of at most 10 groups of features (feature_groups.h). With v(S) = mean over background inputs b
/// of f(x on S, b elsewhere),
///   φ_G(x) = Σ_{S ∌ G} |S|! (n-|S|-1)!/n! (v(S ∪ G) - v(S)),   Σ_G φ_G = f(x) - mean_b f(b)
/// Parts: "patch 1.1", … and "background", which is mean_b f(b). The backgrounds are `backgrounds` evenly spaced ones
/// of Observed::reference_KF. A sample takes 2^n · backgrounds evaluations; throws Error for more than 4 million in
/// all, for token inputs and for more than 10 groups.
class PatchShapley : public StoredCircuits {
 public:
  struct Options {
    int64_t rows = 3;
    int64_t columns = 3;
    int64_t backgrounds = 8;
    void fields(Fields& fields);
  };
  PatchShapley(const Options& options, const Observed& observed);

  int64_t rows() const { return options_.rows; }
  int64_t columns() const { return options_.columns; }

 private:
  Options options_;
};

}  // namespace logodds
