#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/metrics.h"
#include "models/model.h"
#include "models/parameters.h"
#include "training/batches.h"
#include "training/checkpoint.h"
#include "training/hook.h"
#include "training/loss.h"
#include "training/optimizer.h"
#include "training/schedule.h"
#include "training/spent.h"
#include "training/step_graph.h"
#include "training/task.h"

namespace logodds {

/// When the trainer does what.
struct TrainerOptions {
  int64_t steps = 1000;
  int64_t batch_size = 0;
  int64_t evaluate_every_steps = 100;
  int64_t checkpoint_every_steps = 1000;
  int64_t keep_last_checkpoints = 2;
  int64_t keep_every_steps = 0;
  Keep keep() const { return {.last = keep_last_checkpoints, .every_steps = keep_every_steps}; }
  void fields(Fields& fields);
};

/// What the trainer trains: a pack of R runs and the components that make it up.
struct Pack {
  std::vector<int64_t> seeds;
  Dataset data;
  std::unique_ptr<Model> model;
  Parameters parameters;
  std::unique_ptr<Loss> loss;
  std::unique_ptr<Optimizer> optimizer;
  std::unique_ptr<Schedule> schedule;
  std::vector<std::pair<std::string, std::unique_ptr<Hook>>> hooks;  ///< by name
};

/// A run of a pack that is over because a loss or a gradient was not finite, and what its last, refused step was
/// computed from.
struct Divergence {
  int64_t step;
  int64_t run;
  int64_t seed;
  std::string tensor;  ///< the first that is not finite: a weight's name, "gradient of NAME"; empty where there is none
  std::string message;   ///< a sentence
  NamedTensors weights;  ///< as they stay
  NamedTensors batch;  ///< inputs [B,…], targets [B] and gradient.NAME of the step; empty where an evaluation showed it
};

/// What the trainer tells the outside; every member may be empty.
struct TrainerEvents {
  std::function<void(const std::vector<Row>&)> evaluated;  ///< a row per run
  std::function<void(int64_t step)> stepped;
  std::function<void(Checkpoint)> checkpoint;  ///< to be made durable before it returns
  std::function<void(const Divergence&)> diverged;
  std::function<bool()> interrupted;  ///< asked between steps
  std::function<bool()> save_asked;   ///< asked between steps: whether a checkpoint is wanted now
  /// Parts: mini-batch, those of loss_gradient, optimizer, evaluation, hook NAME, writing metrics, checkpoint, the
  /// rest.
  Spent spent;
};

/// Columns step, run, seed, train_loss, train_accuracy, test_loss, test_accuracy; no test columns without a test set.
/// Where the task knows the posterior P(c | x) also, per set, excess_loss: mean of -ln q_y + ln P(y | x), the network's
/// q and the posterior on the same examples (an estimate of the excess risk that the examples' own luck cancels from),
/// and divergence: mean KL(P || q) = what the excess risk is expected to be. All nats.
Row evaluation_row(const Snapshot& snapshot, const Loss& loss, int64_t seed);

/// The one training loop: steps of all runs of a pack, evaluations and checkpoints between them.
class Trainer {
 public:
  /// Throws Error where a batch would be larger than a training set.
  Trainer(TrainerOptions options, Pack pack, TrainerEvents events);

  /// Trains until the last step or an interruption; a checkpoint is made at the end of both. Returns true when the
  /// last step was reached. A run whose loss or gradient is not finite ends there: the update is not made, its weights
  /// stay as they are, it is evaluated no more, and the others go on as they would beside any other run. Throws Error
  /// (ExitCode::diverged) when none is left.
  bool run();

  /// Continues from a checkpoint of the same configuration.
  void restore(const Checkpoint& checkpoint);

  int64_t step() const { return step_; }
  size_t diverged() const { return stopped_.size(); }  ///< how many runs are over
  const Pack& pack() const { return pack_; }
  const StepGraph& step_graph() const { return step_graph_; }

  /// Evaluates all runs that go on now: loss, accuracy and the columns of the hooks that are due.
  std::vector<Row> evaluate();

  /// One update of all runs.
  void take_step();

 private:
  void take_samples(const Tensor& samples_RB);
  void update();  ///< gradients and optimizer, with nothing read on the host that changes from step to step
  Checkpoint checkpoint() const;
  Tensor logits_of(int64_t run, const Parameters& one) const;
  Parameters with_gradient(int64_t run) const;  ///< of the loss on all of the run's training examples
  void stop_diverged();                         ///< the runs whose last loss or gradient is not finite
  void stop(int64_t run, double loss, bool of_step);
  bool running(int64_t run) const { return !stopped_.contains(run); }
  void report();  ///< evaluates this step, once
  void save();    ///< makes a checkpoint of this step, once

  TrainerOptions options_;
  Pack pack_;
  TrainerEvents events_;
  std::optional<Batches> batches_;  ///< where a step does not take all training examples
  Inputs inputs_;                   ///< of this step's samples, [R,B,T] or [R,B,F]
  Tensor targets_RB_;
  Tensor features_NF_;  ///< the data's, where all runs read the same and they are mostly 0
  Tensor factor_;       ///< the schedule's, of this step
  Tensor losses_R_;     ///< before the last update
  struct Stopped {
    int64_t step;
    std::string message;
    Tensor weights;  ///< [n]
  };
  std::map<int64_t, Stopped> stopped_;  ///< by run
  StepGraph step_graph_;
  int64_t step_ = 0;
  int64_t evaluated_ = -1;  ///< the last step that was evaluated, and the last that was saved
  int64_t saved_ = -1;
};

}  // namespace logodds
