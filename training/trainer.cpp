#include "training/trainer.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <cmath>

#include "core/error.h"
#include "core/log_odds.h"
#include "models/ops/batched.h"
#include "training/gradient.h"

namespace logodds {

void TrainerOptions::fields(Fields& fields) {
  fields.integer({"steps", "updates in all"}, steps, at_least(0));
  fields.integer({"batch_size", "training examples per step; 0: all"}, batch_size, at_least(0));
  fields.integer({"evaluate_every_steps", "steps between evaluations on all examples"}, evaluate_every_steps,
                 at_least(1));
  fields.integer({"checkpoint_every_steps", "steps between checkpoints"}, checkpoint_every_steps, at_least(1));
  fields.integer({"keep_last_checkpoints", "how many checkpoints are kept"}, keep_last_checkpoints, at_least(1));
}

Dataset Dataset::to(at::Device device, at::ScalarType dtype) const {
  // What the runs share stays shared.
  const bool shared = inputs.stride(0) == 0;
  const Tensor distinct = shared ? inputs.narrow(0, 0, 1) : inputs;
  const Tensor moved = distinct.to(device, inputs.is_floating_point() ? dtype : inputs.scalar_type());
  return {.inputs = shared ? moved.expand_as(inputs) : moved,
          .targets_RN = targets_RN.to(device),
          .train_RB = train_RB.to(device),
          .test_RB = test_RB.to(device),
          .posterior_RNV = posterior_RNV.defined() ? posterior_RNV.to(device) : Tensor(),
          .truth_RN = truth_RN.defined() ? truth_RN.to(device) : Tensor(),
          .group = group};
}

Row evaluation_row(const Snapshot& snapshot, const Loss& loss, int64_t seed) {
  Row row{{"step", snapshot.step}, {"run", snapshot.run}, {"seed", seed}};
  const auto put = [&](const std::string& set, const Tensor& samples_B) {
    if (samples_B.numel() == 0) return;
    const Tensor logits = snapshot.logits_NV.index_select(0, samples_B);
    const Tensor targets = snapshot.targets_N.index_select(0, samples_B);
    row[set + "_loss"] = loss.value(logits, targets);
    row[set + "_accuracy"] = accuracy(logits, targets).item<double>();
    if (!snapshot.posterior_NV.defined()) return;
    const Tensor posterior = snapshot.posterior_NV.index_select(0, samples_B);
    row[set + "_excess_loss"] =
        (cross_entropy(logits, targets) - cross_entropy(posterior, targets)).mean().item<double>();
    row[set + "_divergence"] = divergence(posterior, logits).mean().item<double>();
  };
  put("train", snapshot.train_B);
  put("test", snapshot.test_B);
  return row;
}

Trainer::Trainer(TrainerOptions options, Pack pack, TrainerEvents events)
    : options_(options),
      pack_(std::move(pack)),
      events_(std::move(events)),
      step_graph_(graph_recorder(pack_.parameters.flat().device())) {
  const int64_t examples = pack_.data.train_RB.size(1);
  if (options_.batch_size > examples) {
    throw Error("training.batch_size (" + std::to_string(options_.batch_size) +
                ") is larger than the training set of " + std::to_string(examples));
  }
  if (options_.batch_size > 0 && options_.batch_size < examples) {
    batches_.emplace(pack_.seeds, examples, options_.batch_size);
    take_samples(batches_->at(0));
  } else {
    take_samples(at::arange(examples, at::kLong).expand_as(pack_.data.train_RB));
  }
  factor_ = at::ones({}, pack_.parameters.flat().options().dtype(at::kDouble));
}

bool Trainer::run() {
  const auto interrupted = [this] { return events_.interrupted && events_.interrupted(); };
  while (step_ < options_.steps && !interrupted()) {
    if (step_ % options_.evaluate_every_steps == 0) report();
    const bool asked = events_.save_asked && events_.save_asked();
    if (asked || (step_ > 0 && step_ % options_.checkpoint_every_steps == 0)) save();
    take_step();
    if (events_.stepped) events_.stepped(step_);
    note(events_.spent, "the rest");
  }
  const bool finished = step_ >= options_.steps;
  if (finished) report();
  save();
  return finished;
}

void Trainer::report() {
  if (evaluated_ == step_) return;
  const auto rows = evaluate();
  if (events_.evaluated) events_.evaluated(rows);
  note(events_.spent, "writing metrics");
  evaluated_ = step_;
}

void Trainer::save() {
  if (saved_ == step_) return;
  refuse_divergence();
  if (events_.checkpoint) events_.checkpoint(checkpoint());
  note(events_.spent, "checkpoint");
  saved_ = step_;
}

void Trainer::take_samples(const Tensor& samples_RB) {
  const Tensor examples_RB = pack_.data.train_RB.gather(1, samples_RB.to(pack_.data.train_RB.device()));
  const Tensor inputs = lookup(pack_.data.inputs, examples_RB), targets = pack_.data.targets_RN.gather(1, examples_RB);
  if (!inputs_.defined() || inputs.is_cpu()) {
    inputs_ = inputs;
    targets_RB_ = targets;
  } else {  // on a GPU into the same memory, which a recorded step reads
    inputs_.copy_(inputs);
    targets_RB_.copy_(targets);
  }
}

void Trainer::take_step() {
  if (batches_) {
    take_samples(batches_->at(step_));
    note(events_.spent, "mini-batch");
  }
  factor_.fill_(pack_.schedule->factor(step_));
  step_graph_.run([this] { update(); });
  ++step_;
}

void Trainer::update() {
  losses_R_ = loss_gradient(*pack_.model, *pack_.loss, pack_.parameters, inputs_, targets_RB_, events_.spent);
  // On a GPU, reading them would stop the queue: there it is done where the queue stops anyway.
  if (losses_R_.is_cpu()) refuse_divergence();
  note(events_.spent, "the rest");
  const at::NoGradGuard no_grad;
  pack_.optimizer->step(pack_.parameters, factor_);
  note(events_.spent, "optimizer");
}

void Trainer::refuse_divergence() const {
  if (!losses_R_.defined()) return;
  const Tensor losses = losses_R_.to(at::kCPU);
  for (int64_t run = 0; run < losses.size(0); ++run) refuse_divergence(run, losses[run].item<double>());
}

void Trainer::refuse_divergence(int64_t run, double loss) const {
  if (std::isfinite(loss)) return;
  const bool at_once = pack_.parameters.flat().is_cpu();
  throw Error("step " + std::to_string(step_) + ": the training loss of run " + std::to_string(run) + " (seed " +
                  std::to_string(pack_.seeds[static_cast<size_t>(run)]) + ") is not finite; " +
                  (at_once ? "the update was not made" : "on a GPU this is noticed at evaluations and checkpoints") +
                  ". A smaller learning rate is the usual remedy",
              ExitCode::diverged);
}

Tensor Trainer::logits_of(int64_t run, const Parameters& one) const {
  const at::NoGradGuard no_grad;
  return pack_.model->logits(one, pack_.data.inputs.narrow(0, run, 1)).squeeze(0);
}

Parameters Trainer::with_gradient(int64_t run) const {
  Parameters one = pack_.parameters.select(run);
  const Tensor train_B = pack_.data.train_RB[run];
  loss_gradient(*pack_.model, *pack_.loss, one, pack_.data.inputs[run].index_select(0, train_B).unsqueeze(0),
                pack_.data.targets_RN[run].index_select(0, train_B).unsqueeze(0));
  return one;
}

std::vector<Row> Trainer::evaluate() {
  const at::NoGradGuard no_grad;
  std::vector<Row> rows;
  for (int64_t run = 0; run < pack_.parameters.runs(); ++run) {
    const Parameters one = pack_.parameters.select(run);
    const Snapshot snapshot{.step = step_,
                            .run = run,
                            .model = *pack_.model,
                            .parameters = one,
                            .inputs_NT = pack_.data.inputs[run],
                            .logits_NV = logits_of(run, one),
                            .targets_N = pack_.data.targets_RN[run],
                            .train_B = pack_.data.train_RB[run],
                            .test_B = pack_.data.test_RB[run],
                            .posterior_NV = pack_.data.posterior(run),
                            .truth_N = pack_.data.truth(run),
                            .group = pack_.data.group.get(),
                            .learning_rate = pack_.optimizer->learning_rate(run) * pack_.schedule->factor(step_),
                            .loss = pack_.loss.get(),
                            .with_gradient = [this, run] { return with_gradient(run); }};
    Row row = evaluation_row(snapshot, *pack_.loss, pack_.seeds[static_cast<size_t>(run)]);
    refuse_divergence(run, row["train_loss"].get<double>());
    note(events_.spent, "evaluation");
    for (auto& [name, hook] : pack_.hooks) {
      if (step_ % hook->every_steps() != 0 && step_ != options_.steps) continue;
      hook->observe(snapshot, row);
      note(events_.spent, "hook " + name);
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

Checkpoint Trainer::checkpoint() const {
  Checkpoint checkpoint;
  checkpoint.step = step_;
  for (int64_t run = 0; run < pack_.parameters.runs(); ++run) checkpoint.runs.push_back(pack_.parameters.run(run));
  for (const auto& [name, tensor] : pack_.optimizer->state()) checkpoint.state["optimizer." + name] = tensor;
  for (const auto& [hook_name, hook] : pack_.hooks) {
    for (const auto& [name, tensor] : hook->state()) checkpoint.state["hooks." + hook_name + "." + name] = tensor;
  }
  checkpoint.numbers["seeds"] = pack_.seeds;
  checkpoint.numbers["evaluated"] = evaluated_;
  return checkpoint;
}

void Trainer::restore(const Checkpoint& checkpoint) {
  if (static_cast<int64_t>(checkpoint.runs.size()) != pack_.parameters.runs()) {
    throw io_error("the checkpoint holds " + std::to_string(checkpoint.runs.size()) +
                   " runs, the configuration makes " + std::to_string(pack_.parameters.runs()));
  }
  const auto under = [&](const std::string& prefix) {
    NamedTensors state;
    for (const auto& [name, tensor] : checkpoint.state) {
      if (name.starts_with(prefix)) state[name.substr(prefix.size())] = tensor;
    }
    return state;
  };
  for (size_t run = 0; run < checkpoint.runs.size(); ++run) {
    pack_.parameters.load(static_cast<int64_t>(run), checkpoint.runs[run],
                          "checkpoint " + std::to_string(checkpoint.step));
  }
  pack_.optimizer->restore(under("optimizer."));
  const LogitsOf logits = [this](int64_t run, const Tensor& flat) {
    const Parameters one = pack_.parameters.select(run);
    one.flat().select(0, 0).copy_(flat);
    return logits_of(run, one);
  };
  for (auto& [name, hook] : pack_.hooks) hook->restore(under("hooks." + name + "."), logits);
  step_ = saved_ = checkpoint.step;
  evaluated_ = checkpoint.numbers.value("evaluated", int64_t{-1});
}

}  // namespace logodds
