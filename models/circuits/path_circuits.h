#pragma once

#include "models/circuits/circuits.h"

namespace logodds {

/// Decompositions whose parts are sums of paths into the logits: source [B,I] (or [1,I]) times map [I,V].
class PathCircuits : public Circuits {
 public:
  const std::vector<std::string>& labels() const override { return labels_; }
  Tensor part(int64_t p) const override;
  Tensor at_class(int64_t p, const Tensor& classes_B) const override;

 protected:
  explicit PathCircuits(const Observed& observed) : like_BV_(observed.logits_BV) {}

  /// Adds a path to the part of that label; a new label makes a new part. Maps are centred over the classes here.
  void add(const std::string& label, const Tensor& source, const Tensor& map_IV);
  /// Adds all that is not the last hidden layer's neurons: the parts "direct" and "bias", those of them that there are.
  void add_past_neurons(const LogitPaths& paths);
  Tensor zeros() const override;

 private:
  struct Term {
    Tensor source;
    Tensor map_IV;
  };
  std::vector<std::string> labels_;
  std::vector<std::vector<Term>> terms_;  ///< per part
  Tensor like_BV_;
};

}  // namespace logodds
