#include "experiments/inspection.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>

#include "core/error.h"
#include "core/text.h"
#include "experiments/weights_file.h"
#include "training/hooks/logit_bloat.h"
#include "training/hooks/weight_norms.h"

namespace logodds {

namespace {

Checkpoint load(const RunDirectory& directory, int64_t step) {
  const auto checkpoints = directory.checkpoints();
  if (step < 0) return checkpoints.load_newest();
  const auto steps = checkpoints.steps();
  if (std::ranges::count(steps, step) == 0) {
    std::vector<std::string> known;
    for (const int64_t s : steps) known.push_back(std::to_string(s));
    throw Error(directory.path().string() + ": has no checkpoint of step " + std::to_string(step) + "; there are " +
                join(known));
  }
  return checkpoints.load(step);
}

}  // namespace

Inspection::Inspection(const Experiment& experiment)
    : experiment_(experiment), task_(experiment_.options().task.make<Task>()), pack_(experiment_.assemble()) {
  decomposition_.basis = default_decomposition(*pack_.model, features(), pack_.data.group.get());
  for (const auto& [name, hook] : pack_.hooks) {
    if (const auto* configured = dynamic_cast<const LogitDecomposition*>(hook.get()))
      decomposition_ = configured->options();
  }
}

Inspection::Inspection(const RunDirectory& directory, int64_t step) : Inspection(directory.experiment()) {
  const Checkpoint checkpoint = load(directory, step);
  step_ = checkpoint.step;
  if (checkpoint.runs.size() != run_count())
    throw io_error(directory.path().string() + ": the checkpoint is of another configuration");
  for (size_t run = 0; run < run_count(); ++run) {
    pack_.parameters.load(static_cast<int64_t>(run), checkpoint.runs[run], directory.path().string());
  }
}

Inspection::Inspection(const std::filesystem::path& weights, const Experiment& experiment,
                       const std::filesystem::path& split)
    : Inspection(experiment) {
  source_ = weights.string();
  if (run_count() != 1)
    throw Error("the configuration makes " + std::to_string(run_count()) +
                " runs, a weights file holds one: leave out 'runs'");
  pack_.parameters.load(0, read_weights(weights, pack_.parameters.specs()), source_);
  const auto train = split.empty() ? std::vector<int64_t>() : read_split(split, *task_);
  Tensor is_train = at::zeros({pack_.data.targets_RN.size(1)}, at::kBool);
  for (const int64_t example : train) is_train[example].fill_(true);
  pack_.data.train_RB = is_train.nonzero().t();
  pack_.data.test_RB = split.empty() ? at::empty({1, 0}, at::kLong) : is_train.logical_not().nonzero().t();
}

std::string Inspection::label(size_t run) const { return source_.empty() ? experiment_.run_label(run) : source_; }

Snapshot Inspection::snapshot(const Parameters& one, size_t run) const {
  const at::NoGradGuard no_grad;
  const auto r = static_cast<int64_t>(run);
  return {.step = step_.value_or(0),
          .run = r,
          .model = *pack_.model,
          .parameters = one,
          .inputs_NT = pack_.data.inputs[r],
          .logits_NV = pack_.model->logits(one, pack_.data.inputs.narrow(0, r, 1)).squeeze(0),
          .targets_N = pack_.data.targets_RN[r],
          .train_B = pack_.data.train_RB[r],
          .test_B = pack_.data.test_RB[r],
          .posterior_NV = pack_.data.posterior(r),
          .truth_N = pack_.data.truth(r),
          .group = pack_.data.group.get()};
}

namespace {

/// At most `most` evenly spaced ones of some numbers.
Tensor spaced(const Tensor& numbers, int64_t most) {
  const int64_t count = std::min(numbers.size(0), most);
  if (count == 0) return numbers.narrow(0, 0, 0);
  return numbers.index_select(0, (at::arange(count, at::kLong) * numbers.size(0)).div(count, "floor"));
}

/// Which of all `count` examples are looked at, ascending.
Tensor chosen(int64_t count, const std::vector<Tensor>& sets, std::optional<int64_t> most,
              const std::vector<int64_t>& with) {
  if (!most) return at::arange(count, at::kLong);
  Tensor taken = at::zeros({count}, at::kBool);
  for (const Tensor& set : sets) taken.index_fill_(0, spaced(set, *most), true);
  for (const int64_t example : with) taken[example].fill_(true);
  return taken.nonzero().squeeze(1);
}

}  // namespace

int64_t Subject::position(int64_t number) const {
  return at::searchsorted(numbers_N, at::full({1}, number, at::kLong)).item<int64_t>();
}

Subject Inspection::subject(size_t run, std::optional<int64_t> most, const std::vector<int64_t>& with) const {
  const at::NoGradGuard no_grad;
  const auto r = static_cast<int64_t>(run);
  Parameters one(pack_.parameters.specs(), 1, at::kDouble);  // on the CPU, wherever it was trained
  one.load(0, pack_.parameters.run(r), label(run));
  const Tensor all = pack_.data.inputs[r].cpu(), everyone = at::arange(all.size(0), at::kLong);
  const Tensor train = pack_.data.train_RB[r].cpu(), test = pack_.data.test_RB[r].cpu();
  const bool known = train.numel() > 0;
  const Tensor numbers = chosen(all.size(0), known ? std::vector{train, test} : std::vector{everyone}, most, with);
  const auto in_float64 = [&](const Tensor& examples) {
    const Tensor inputs = all.index_select(0, examples);
    return features() ? inputs.to(at::kDouble) : inputs;
  };
  const Tensor inputs = in_float64(numbers), targets = pack_.data.targets_RN[r].cpu().index_select(0, numbers),
               truth = pack_.data.truth(r).cpu().index_select(0, numbers);
  std::vector<std::pair<std::string, Tensor>> sets{{"all", at::arange(numbers.size(0), at::kLong)}};
  for (const auto& [name, set] : {std::pair("train", train), std::pair("test", test)}) {
    const Tensor there = most ? at::isin(numbers, set).nonzero().squeeze(1) : set;
    if (there.numel() > 0) sets.emplace_back(name, there);
  }
  const Tensor logits = pack_.model->logits(one, inputs.unsqueeze(0)).squeeze(0);
  const Tensor reference = features() ? in_float64(spaced(known ? train : everyone, 64)) : Tensor();
  return {*pack_.model, std::move(one), inputs,  logits,    targets,
          truth,        sets,           numbers, reference, pack_.data.group.get()};
}

SampledRun Inspection::sampled(size_t run, const SamplingOptions& options) const {
  const auto r = static_cast<int64_t>(run);
  return sampled_run(options, {*pack_.model, *pack_.loss, pack_.data.inputs[r], pack_.data.targets_RN[r]},
                     pack_.parameters.select(r), pack_.data.train_RB[r], pack_.data.test_RB[r]);
}

Row Inspection::summary(size_t run) const {
  const Parameters one = pack_.parameters.select(static_cast<int64_t>(run));
  const Snapshot seen = snapshot(one, run);
  Row row = evaluation_row(seen, *pack_.loss, pack_.seeds[run]);
  row["label"] = label(run);
  LogitDecomposition(decomposition_).observe(seen, row);
  LogitBloat({}).observe(seen, row);
  WeightNorms({}).observe(seen, row);
  for (const char* figure : {"delta", "radial", "shape", "radial_total", "shape_total"}) {
    for (const char* set : {"_train", "_test"}) row.erase(std::string("logit_bloat.") + figure + set);
  }
  return row;
}

std::vector<std::string> Inspection::circuit_labels(size_t run) const {
  const Parameters one = pack_.parameters.select(static_cast<int64_t>(run));
  const Snapshot seen = snapshot(one, run);
  return decomposition_.basis.make<Circuits>(seen.observed())->labels();
}

}  // namespace logodds
