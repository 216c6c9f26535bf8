#pragma once

#include "training/hook.h"
#include "training/samplers/learning_coefficient.h"

namespace logodds {

/// The local learning coefficient λ̂ along training, by chains around the weights of the moment; they use a copy of the
/// weights and their own random numbers. Columns learning_coefficient.X, as `logodds llc` names them:
///   mean, standard_error   over the chains; null where the estimate is refused
///   estimate               the mean also where it is refused
///   refusals               how many reasons refuse it; before the loss has a minimum there is always one
///   r_hat                  of the losses
///   init_loss              L(w0) on the sampled examples, nats
/// One observation takes chains · (burn_in + draws · steps_between_draws) gradients: as many training steps.
class LearningCoefficientHook : public Hook {
 public:
  struct Options {
    Options();
    int64_t every_steps = 1000;
    SamplingOptions sampling;
    void fields(Fields& fields);
  };
  explicit LearningCoefficientHook(const Options& options) : options_(options) {}

  int64_t every_steps() const override { return options_.every_steps; }
  void observe(const Snapshot& snapshot, Row& row) override;

 private:
  Options options_;
};

}  // namespace logodds
