#pragma once

#include "models/circuits/path_circuits.h"

namespace logodds {

/// The units of the last hidden layer grouped by what they say: f = b + f_direct + Σ_G Σ_{j∈G} h_j W_L[j,·], exact for
/// any partition G. A unit's attribution vector is a_j = E[h_j] W_L[j,·], centred over the classes; its direction is
/// what k-means sees, its length the unit's weight. With `clusters` 0 the number, at most 12, is the one with the
/// highest silhouette. Parts are named after the classes that the group's Σ a_j favours most, "cluster 1 for 3 and 5",
/// in falling order of Σ |a_j|; units that are never active are "silent"; "direct" and "bias" as elsewhere.
class UnitClusters : public PathCircuits {
 public:
  struct Options {
    int64_t clusters = 0;
    int64_t seed = 0;
    void fields(Fields& fields);
  };
  UnitClusters(const Options& options, const Observed& observed);

  /// Units of each part, [P]; 0 for "bias" and "direct".
  const std::vector<int64_t>& units() const { return units_; }

 private:
  std::vector<int64_t> units_;
};

}  // namespace logodds
