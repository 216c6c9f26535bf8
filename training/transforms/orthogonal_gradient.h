#pragma once

#include "training/transform.h"

namespace logodds {

/// ⊥Grad (Prieto et al. 2025, arXiv 2501.04697): the gradient's part along the weights, which to first order only
/// scales the logits of a homogeneous network, is taken out: g⊥ = g - (w·g / w·w) w, of each tensor or of all weights
/// as one vector (`scope`). `rescale`: then g⊥ ‖g‖/‖g⊥‖, as the published code does; not where g⊥ is 0 up to rounding.
class OrthogonalGradient : public Transform {
 public:
  struct Options {
    std::string scope = "tensor";
    bool rescale = true;
    void fields(Fields& fields);
  };
  OrthogonalGradient(const Options& options, const Parameters&) : options_(options) {}
  void change_gradient(Parameters& parameters) override;

 private:
  Options options_;
};

}  // namespace logodds
