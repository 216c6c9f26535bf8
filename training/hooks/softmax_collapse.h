#pragma once

#include "training/hook.h"

namespace logodds {

/// Softmax collapse (Prieto et al. 2025, arXiv 2501.04697) of the training examples, in a plain log-softmax of three
/// arithmetics A = float16, float32, float64 (core/plain_softmax.h). Columns softmax_collapse.X_A:
///   collapsed   share of examples with Σ_c e^{f_c - max f} = 1: the other classes' terms are lost beside the largest
///   zero_terms  share of examples whose loss is 0, and with it their gradient's part for the right class
/// The column of the loss's own arithmetic says how much of the training set still teaches; the accurate float64 loss
/// of `cross_entropy` itself does not collapse.
class SoftmaxCollapse : public Hook {
 public:
  struct Options {
    int64_t every_steps = 100;
    void fields(Fields& fields);
  };
  explicit SoftmaxCollapse(const Options& options) : options_(options) {}

  int64_t every_steps() const override { return options_.every_steps; }
  void observe(const Snapshot& snapshot, Row& row) override;

 private:
  Options options_;
};

}  // namespace logodds
