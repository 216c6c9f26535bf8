#include <CLI/CLI.hpp>
#include <csignal>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>

#include "core/error.h"
#include "core/log.h"
#include "experiments/commands/commands.h"
#include "experiments/experiment.h"
#include "experiments/interruption.h"
#include "experiments/report/profile.h"
#include "experiments/report/progress.h"
#include "experiments/report/table.h"
#include "experiments/report/theory.h"
#include "experiments/run_directory.h"
#include "experiments/run_training.h"
#include "experiments/theory.h"

namespace logodds {

namespace {

namespace fs = std::filesystem;

/// SIGUSR1 asks for a checkpoint at the next step: batch systems send it before they end a job.
volatile std::sig_atomic_t save_asked = 0;
void on_save_signal(int) { save_asked = 1; }
bool take_save_request() {
  const bool asked = save_asked != 0;
  if (asked) save_asked = 0;
  return asked;
}

struct Arguments {
  std::string config;
  std::vector<std::string> overrides;
  std::string out;
  bool resume = false;
  bool profile = false;
};

/// Where the run is kept: --out, else beside its own config.yaml when that is what was given, else runs/NAME.
fs::path run_path(const Arguments& arguments, const Experiment& experiment) {
  if (!arguments.out.empty()) return arguments.out;
  const fs::path config(arguments.config);
  if (arguments.resume && config.filename() == "config.yaml" && fs::exists(config.parent_path() / "provenance.json")) {
    return config.parent_path();
  }
  return fs::path("runs") / experiment.options().name;
}

/// The run to train in: new, or there and of this configuration.
RunDirectory run_directory(const fs::path& path, const Experiment& experiment, bool resume,
                           const std::string& command_line) {
  if (!resume) return RunDirectory::create(path, experiment, command_line);
  const RunDirectory existing = RunDirectory::open(path);
  existing.refuse_damage();
  existing.refuse_other_configuration(experiment);
  return existing;
}

int train(const Arguments& arguments, const std::string& command_line) {
  std::signal(SIGUSR1, on_save_signal);
  const Experiment experiment = Experiment::from_file(arguments.config, arguments.overrides);
  const TrainerOptions& options = experiment.options().training;
  std::optional<Progress> progress;
  std::optional<Profile> profile;
  TrainerEvents events;
  events.evaluated = [&](const std::vector<Row>& rows) { progress->evaluated(rows); };
  events.stepped = [&](int64_t step) { progress->stepped(step); };
  events.interrupted = interrupted;
  events.save_asked = take_save_request;
  if (arguments.profile) events.spent = [&](std::string_view part) { profile->spent(part); };
  // Everything that can be wrong is found before anything is written.
  RunTraining training(options, experiment.assemble(), std::move(events));
  Trainer& trainer = training.trainer();

  const fs::path path = run_path(arguments, experiment);
  arguments.resume ? void(RunDirectory::open(path)) : RunDirectory::refuse_existing(path);
  const auto lock = RunDirectory::lock(path);
  const RunDirectory directory = run_directory(path, experiment, arguments.resume, command_line);
  const auto start = arguments.resume ? directory.newest_checkpoint() : std::nullopt;
  training.write_to(directory, start, [&](size_t run) { return experiment.run_label(run); });
  const size_t runs = experiment.run_count();
  spdlog::info("{} {} run{} of {} weights each in {}", start ? "continuing" : "training", runs, runs == 1 ? "" : "s",
               trainer.pack().parameters.count(), path.string());
  listen_for_interruption();
  progress.emplace(trainer.step(), options.steps);
  if (arguments.profile) profile.emplace(trainer.pack().parameters.flat().device());
  const int64_t first_step = trainer.step();
  if (first_step >= options.steps) {
    spdlog::info("nothing to train: it is at step {} already; training.steps=… trains further", first_step);
  }
  const bool finished = trainer.run();
  progress->finish();
  if (profile) std::cout << profile->text(trainer.step() - first_step) << std::flush;
  if (!finished) {
    spdlog::warn("interrupted; saved at step {}. Continue with: logodds train {} --resume", trainer.step(),
                 (path / "config.yaml").string());
    return 128 + interruption();
  }
  if (trainer.diverged() > 0) {
    spdlog::error("{} of {} runs diverged; what they diverged on is in {}", trainer.diverged(), runs,
                  (path / "diverged").string());
    return static_cast<int>(ExitCode::diverged);
  }
  if (!experiment.options().theory.empty()) print_theory_table(theory_table(Inspection(directory, -1)));
  return static_cast<int>(ExitCode::ok);
}

}  // namespace

void add_train(CLI::App& app, const std::string& command_line, int& exit_code) {
  auto* command = app.add_subcommand("train", "Train the runs of a configuration");
  auto arguments = std::make_shared<Arguments>();
  command->add_option("CONFIG", arguments->config, "YAML file; experiments/configs/ has one per published setting")
      ->required();
  command->add_option("key=value", arguments->overrides, "Overrides, such as optimizer.weight_decay=0");
  command->add_option("--out", arguments->out, "Run directory (default runs/NAME); must not exist yet");
  command->add_flag("--resume", arguments->resume, "Continue the run from its newest checkpoint");
  command->add_flag("--profile", arguments->profile, "Print at the end where the time of training went");
  command->callback([arguments, command_line, &exit_code] { exit_code = train(*arguments, command_line); });
}

}  // namespace logodds
