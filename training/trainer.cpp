#include "training/trainer.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <cmath>

#include "core/error.h"
#include "core/finite.h"
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
  fields.integer({"keep_last_checkpoints", "how many of the newest checkpoints are kept"}, keep_last_checkpoints,
                 at_least(1));
  fields.integer({"keep_every_steps", "checkpoints at multiples of this are kept for good; 0: none"}, keep_every_steps,
                 at_least(0));
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
  const Tensor& inputs = pack_.data.inputs;
  if (inputs.is_floating_point() && (inputs.size(0) == 1 || inputs.stride(0) == 0)) {
    if (inputs.is_cpu() && mostly_zero(inputs[0])) features_NF_ = inputs[0];
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
  if (!pack_.parameters.flat().is_cpu()) stop_diverged();
  if (events_.checkpoint) events_.checkpoint(checkpoint());
  note(events_.spent, "checkpoint");
  saved_ = step_;
}

void Trainer::take_samples(const Tensor& samples_RB) {
  const Tensor examples_RB = pack_.data.train_RB.gather(1, samples_RB.to(pack_.data.train_RB.device()));
  const Tensor targets = pack_.data.targets_RN.gather(1, examples_RB);
  if (features_NF_.defined()) {
    inputs_ = {features_NF_, examples_RB};
    targets_RB_ = targets;
    return;
  }
  const Tensor inputs = lookup(pack_.data.inputs, examples_RB);
  if (!inputs_.defined() || inputs.is_cpu()) {
    inputs_ = inputs;
    targets_RB_ = targets;
  } else {  // on a GPU into the same memory, which a recorded step reads
    inputs_.tensor().copy_(inputs);
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
  const at::NoGradGuard no_grad;
  for (const auto& [run, stopped] : stopped_) pack_.parameters.flat().select(0, run).copy_(stopped.weights);
  ++step_;
}

void Trainer::update() {
  losses_R_ = loss_gradient(*pack_.model, *pack_.loss, pack_.parameters, inputs_, targets_RB_, events_.spent);
  const at::NoGradGuard no_grad;
  // On a GPU, reading them would stop the queue: there it is done where the queue stops anyway.
  if (losses_R_.is_cpu()) {
    stop_diverged();
    for (const auto& [run, stopped] : stopped_) pack_.parameters.flat_gradient().select(0, run).zero_();
  }
  note(events_.spent, "the rest");
  pack_.optimizer->step(pack_.parameters, factor_);
  note(events_.spent, "optimizer");
}

void Trainer::stop_diverged() {
  if (!losses_R_.defined()) return;
  const Tensor losses = losses_R_.to(at::kCPU), &gradient = pack_.parameters.flat_gradient();
  for (int64_t run = 0; run < losses.size(0); ++run) {
    const double loss = losses.const_data_ptr<double>()[run];
    const bool good = std::isfinite(loss) && (!gradient.is_cpu() || all_finite(gradient.select(0, run)));
    if (!good && running(run)) stop(run, loss, /*of_step=*/true);
  }
}

namespace {

/// The first tensor of a run that is not finite, by name; and how much of it.
std::string first_not_finite(const std::vector<Tensor>& tensors, const std::vector<ParameterSpec>& specs, int64_t run,
                             std::string& extent) {
  for (size_t i = 0; i < tensors.size(); ++i) {
    const Tensor tensor = tensors[i].detach().select(0, run);
    const int64_t bad = tensor.isfinite().logical_not().sum().item<int64_t>();
    if (bad == 0) continue;
    extent = " in " + std::to_string(bad) + " of " + std::to_string(tensor.numel()) + " numbers";
    return specs[i].name;
  }
  return "";
}

}  // namespace

void Trainer::stop(int64_t run, double loss, bool of_step) {
  const Parameters& parameters = pack_.parameters;
  const bool at_once = parameters.flat().is_cpu();
  std::string extent, tensor = first_not_finite(parameters.views(), parameters.specs(), run, extent);
  if (tensor.empty() && of_step) {
    tensor = first_not_finite(parameters.gradients(), parameters.specs(), run, extent);
    if (!tensor.empty()) tensor = "gradient of " + tensor;
  }
  const int64_t seed = pack_.seeds[static_cast<size_t>(run)];
  const std::string which = "run " + std::to_string(run) + " (seed " + std::to_string(seed) + ")";
  const std::string what = std::isfinite(loss) ? "the " + tensor + " of " + which + " is not finite" + extent
                                               : "the training loss of " + which + " is not finite" +
                                                     (tensor.empty() ? "" : ", nor is the " + tensor + extent);
  Divergence found{
      .step = step_,
      .run = run,
      .seed = seed,
      .tensor = tensor,
      .message = "step " + std::to_string(step_) + ": " + what + "; " +
                 (at_once ? "the update was not made" : "on a GPU this is noticed at evaluations and checkpoints") +
                 ". A smaller learning rate is the usual remedy",
      .weights = parameters.run(run),
      .batch = {}};
  if (of_step && at_once) {
    found.batch = {{"inputs", inputs_.tensor()[run]}, {"targets", targets_RB_[run]}};
    for (size_t i = 0; i < parameters.specs().size(); ++i) {
      found.batch["gradient." + parameters.specs()[i].name] = parameters.gradients()[i].select(0, run).clone();
    }
  }
  stopped_[run] = {step_, found.message, parameters.flat().select(0, run).clone()};
  if (events_.diverged) events_.diverged(found);
  if (std::ssize(stopped_) == parameters.runs()) throw Error(found.message, ExitCode::diverged);
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
    if (!running(run)) continue;
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
    note(events_.spent, "evaluation");
    if (const double loss = row["train_loss"].get<double>(); !std::isfinite(loss)) {
      stop(run, loss, /*of_step=*/false);
      continue;
    }
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
  for (const auto& [run, stopped] : stopped_) {
    checkpoint.numbers["diverged"].push_back({{"run", run}, {"step", stopped.step}, {"message", stopped.message}});
  }
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
  stopped_.clear();
  for (const auto& entry : checkpoint.numbers.value("diverged", nlohmann::ordered_json::array())) {
    const auto run = entry.at("run").get<int64_t>();
    stopped_[run] = {entry.at("step").get<int64_t>(), entry.at("message").get<std::string>(),
                     pack_.parameters.flat().select(0, run).clone()};
  }
}

}  // namespace logodds
