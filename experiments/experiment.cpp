#include "experiments/experiment.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <thread>

#include "core/device.h"
#include "core/error.h"
#include "core/read_fields.h"
#include "core/write_fields.h"
#include "training/claim.h"

namespace logodds {

bool is_plain_name(const std::string& name) {
  return !name.empty() && name.front() != '.' && std::ranges::all_of(name, [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
  });
}

void ExperimentOptions::fields(Fields& fields) {
  fields.text({"name", "of the run directory runs/NAME; the file's name unless given"}, name);
  fields.per_run({"seed", "of the split and the initial weights"}, seed, between(0, 9007199254740992.0));
  fields.choice({"device", "where it is computed"}, device, {"cpu", "cuda"});
  fields.choice({"dtype", "of weights and logits"}, dtype, {"float32", "float64"});
  fields.integer({"threads", "CPU threads; 0 is one per core"}, threads, between(0, 1024));
  fields.flag({"tf32", "on a GPU, matrix products may round their factors to 10 bits; else full float32"}, tf32);
  fields.component({"task", "what is learnt"}, task);
  fields.component({"model", "the network"}, model);
  fields.component({"loss", "what is minimised"}, loss);
  fields.component({"optimizer", "how the weights are updated"}, optimizer);
  fields.components({"transforms", "of gradient and weights around the update, in the order written"}, transforms,
                    Selection(logodds::transforms()));
  fields.component({"schedule", "of the learning rate"}, schedule);
  fields.section({"training", "when what is done"}, [this](Fields& inside) { training.fields(inside); });
  fields.components({"hooks", "what is observed"}, hooks, Selection(logodds::hooks()));
  fields.components({"theory", "claims that the end of training is held against, as a table"}, theory,
                    Selection(claims()));
  fields.axes({"runs", "lists of values; their product is trained at once"}, runs);
}

Experiment Experiment::from_file(const std::string& path, const std::vector<std::string>& overrides) {
  Node root = read_yaml_file(path);
  for (const auto& assignment : overrides) apply_override(root, assignment);
  return from_yaml(root, std::filesystem::path(path).stem().string());
}

namespace {

void check_together(const ExperimentOptions& options, const Node& root, Problems& problems) {
  if (!is_plain_name(options.name)) {
    const Node* name = root.find("name");
    problems.add((name == nullptr ? root.where : name->where).text() +
                 ": 'name' must be letters, digits, '-', '_' and '.', not '" + options.name + "'");
  }
  if (options.tf32 && options.device != "cuda") {
    problems.add(root.find("tf32")->where.text() +
                 ": 'tf32: true' needs 'device: cuda'; a CPU computes in full float32");
  }
}

}  // namespace

Experiment Experiment::from_yaml(const Node& root, const std::string& default_name) {
  Experiment experiment;
  Problems problems;
  ReadFields reader(root, problems);
  experiment.options_.name = default_name;
  experiment.options_.fields(reader);
  if (const Node* sweep = root.find("sweep")) {
    throw Error(sweep->where.text() + ": 'sweep' asks for many trainings, and this is for one; use: logodds sweep");
  }
  reader.finish();
  experiment.per_run_keys_ = reader.run_keys();
  check_together(experiment.options_, root, problems);
  problems.throw_if_any();
  return experiment;
}

std::string Experiment::resolved() const {
  WriteFields writer;
  options_.fields(writer);
  return to_yaml(writer.take());
}

std::string Experiment::run_label(size_t run) const {
  const std::string label = axes_label(run, /*with_seed=*/true);
  return label.empty() ? "seed " + std::to_string(options_.seed.at(run)) : label;
}

std::string Experiment::setting_label(size_t run) const { return axes_label(run, /*with_seed=*/false); }

std::string Experiment::axes_label(size_t run, bool with_seed) const {
  std::string label;
  for (size_t axis = 0; axis < options_.runs.axes.size(); ++axis) {
    const auto& [key, values] = options_.runs.axes[axis];
    if (key == "seed" && !with_seed) continue;
    const std::string word = key.substr(key.rfind('.') + 1);
    label += (label.empty() ? "" : ", ") + word + " " + values[options_.runs.index(axis, run)].value;
  }
  return label;
}

void Experiment::refuse_missing_device() const {
  if (options_.device == "cuda" && !at::hasCUDA()) {
    throw Error(
        "device: cuda was asked for, but this program was built without --cuda or finds no GPU; write device: cpu");
  }
}

Pack Experiment::assemble() const {
  at::set_num_threads(options_.threads > 0 ? static_cast<int>(options_.threads)
                                           : std::max(1, static_cast<int>(std::thread::hardware_concurrency())));
  make_repeatable(options_.tf32);
  refuse_missing_device();
  const at::Device device(options_.device);
  const auto dtype = options_.dtype == "float64" ? at::kDouble : at::kFloat;
  const auto runs = static_cast<int64_t>(run_count());

  const auto task = options_.task.make<Task>();
  auto loss = options_.loss.make<Loss>();
  InputShape shape = task->shape();
  shape.single_logit = loss->single_logit();
  if (shape.single_logit && shape.classes != 2) {
    throw Error("the loss '" + options_.loss.name() + "' is for two classes, and the task has " +
                std::to_string(shape.classes) + "; use 'cross_entropy'");
  }
  if (!options_.theory.empty() && task->world(0, seeds().front()) == nullptr) {
    throw Error("'theory' compares with what is known of the task, and of '" + options_.task.name() +
                "' nothing is; leave it out");
  }
  auto model = options_.model.make<Model>(shape);
  Parameters parameters(model->specs(), runs, at::TensorOptions().dtype(dtype).device(device));
  parameters.initialise(seeds(), model->init_scale().all(run_count()));
  auto optimizer = options_.optimizer.make<Optimizer>(std::as_const(parameters));
  if (!options_.transforms.empty()) {
    TransformedOptimizer::Named around;
    for (const auto& selection : options_.transforms) {
      around.emplace_back(selection.name(), selection.make<Transform>(std::as_const(parameters)));
    }
    optimizer = std::make_unique<TransformedOptimizer>(std::move(around), std::move(optimizer));
  }
  std::vector<std::pair<std::string, std::unique_ptr<Hook>>> hooks;
  for (const auto& selection : options_.hooks) {
    auto hook = selection.make<Hook>();
    if (hook->every_steps() % options_.training.evaluate_every_steps != 0) {
      throw Error("hooks." + selection.name() + ".every_steps (" + std::to_string(hook->every_steps()) +
                  ") must be a multiple of training.evaluate_every_steps (" +
                  std::to_string(options_.training.evaluate_every_steps) + ")");
    }
    hooks.emplace_back(selection.name(), std::move(hook));
  }
  const TrainerOptions& training = options_.training;
  if (training.keep_every_steps % training.checkpoint_every_steps != 0) {
    throw Error("training.keep_every_steps (" + std::to_string(training.keep_every_steps) +
                ") must be a multiple of training.checkpoint_every_steps (" +
                std::to_string(training.checkpoint_every_steps) + ")");
  }
  return {.seeds = seeds(),
          .data = task->make(seeds()).to(device, dtype),
          .model = std::move(model),
          .parameters = std::move(parameters),
          .loss = std::move(loss),
          .optimizer = std::move(optimizer),
          .schedule = options_.schedule.make<Schedule>(),
          .hooks = std::move(hooks)};
}

}  // namespace logodds
