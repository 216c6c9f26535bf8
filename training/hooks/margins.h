#pragma once

#include "training/hook.h"

namespace logodds {

/// Margins m = f_y - max_{c≠y} f_c, nats, of the training and the test set. Columns margins.X_train and .X_test (none
/// without a test set), X being
///   quantiles       of m at 0, .01, .5 and 1, a list
///   mean            of m
/// and, on the training set, logit per parameter norm (Varma et al. 2023, arXiv 2309.02390): margins.mean_per_norm and
/// margins.rms_per_norm, the mean margin and the rms of the centred logits over ‖w‖.
class Margins : public Hook {
 public:
  struct Options {
    int64_t every_steps = 100;
    void fields(Fields& fields);
  };
  explicit Margins(const Options& options) : options_(options) {}

  int64_t every_steps() const override { return options_.every_steps; }
  void observe(const Snapshot& snapshot, Row& row) override;

 private:
  Options options_;
};

}  // namespace logodds
