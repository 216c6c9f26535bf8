#pragma once

#include "training/hook.h"

namespace logodds {

/// Columns weight_norms.total and weight_norms.NAME: Euclidean norms of all weights and of each tensor.
class WeightNorms : public Hook {
 public:
  struct Options {
    int64_t every_steps = 100;
    void fields(Fields& fields);
  };
  explicit WeightNorms(const Options& options) : options_(options) {}

  int64_t every_steps() const override { return options_.every_steps; }
  void observe(const Snapshot& snapshot, Row& row) override;

 private:
  Options options_;
};

}  // namespace logodds
