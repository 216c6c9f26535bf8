#pragma once

#include "training/hook.h"

namespace logodds {

/// Whether the loss falls by scaling the weights (naive loss minimisation, Prieto et al. 2025) or by turning them, of
/// the loss on all training examples, before any transform. Columns gradient_alignment.X and .X.NAME per tensor, X:
///   cosine        cos(-∇L, w): near 1, the gradient mostly makes the weights larger; null where either is 0
///   radial_share  its square: the share of the first-order decrease of L that lies along w
/// and gradient_alignment.norm, ‖∇L‖ of all weights.
class GradientAlignment : public Hook {
 public:
  struct Options {
    int64_t every_steps = 100;
    void fields(Fields& fields);
  };
  explicit GradientAlignment(const Options& options) : options_(options) {}

  int64_t every_steps() const override { return options_.every_steps; }
  void observe(const Snapshot& snapshot, Row& row) override;

 private:
  Options options_;
};

}  // namespace logodds
