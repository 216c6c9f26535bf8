#pragma once

#include "models/circuits/circuits.h"

namespace logodds {

/// Decompositions whose parts have to be computed all at once; they are kept, [P,B,V].
class StoredCircuits : public Circuits {
 public:
  const std::vector<std::string>& labels() const override { return labels_; }
  Tensor part(int64_t p) const override;

 protected:
  /// Parts are centred over the classes here.
  void store(std::vector<std::string> labels, const Tensor& parts_PBV);
  Tensor zeros() const override;

 private:
  std::vector<std::string> labels_;
  Tensor parts_PBV_;
};

}  // namespace logodds
