#pragma once

#include "training/hook.h"

namespace logodds {

/// What `random_labels` costs: training examples whose class was changed can be learnt by heart only. Columns
/// memorisation.X; with n training examples, m of them changed, V classes:
///   changed        m
///   stored         how many of them are answered as they are labelled
///   resisted       how many of them are answered with the class that they had before
///   clean_accuracy share of the other training examples that is answered rightly
///   loss_changed, loss_clean   mean loss of the changed examples and of the others, nats
///   cost           what one changed example adds to the training loss beyond a clean one, (loss_changed -
///                  loss_clean)/n
///   nats           Σ (ln V - loss) over the changed examples: what the weights hold of their labels, beyond guessing
///   predicted_loss training loss of a network that stores the changed examples which this one stores, s of them, and
///                  of the other n - s knows the task's posterior P and that a share ρ = (m - s)/(n - s) is changed:
///                  (1/n) Σ -ln[(1 - ρ) P_y + ρ (1 - P_y)/(V - 1)] over those, nats; no column where P is not known
/// Without changed examples those of the changed ones are null, without others those of the clean ones.
class Memorisation : public Hook {
 public:
  struct Options {
    int64_t every_steps = 100;
    void fields(Fields& fields);
  };
  explicit Memorisation(const Options& options) : options_(options) {}

  int64_t every_steps() const override { return options_.every_steps; }
  void observe(const Snapshot& snapshot, Row& row) override;

 private:
  Options options_;
};

}  // namespace logodds
