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
#include "experiments/report/profile.h"
#include "experiments/report/progress.h"
#include "experiments/report/table.h"
#include "experiments/report/theory.h"
#include "experiments/run_directory.h"
#include "experiments/theory.h"

namespace logodds {

namespace {

namespace fs = std::filesystem;

volatile std::sig_atomic_t received_signal = 0;

/// The first SIGINT or SIGTERM asks for a checkpoint at the next step; the second ends the program at once.
void on_signal(int signal) {
  if (received_signal != 0) std::_Exit(128 + signal);
  received_signal = signal;
}

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

/// The newest checkpoint of a run that is continued; none where it was ended before its first one.
std::optional<Checkpoint> newest_checkpoint(const RunDirectory& run) {
  if (!run.checkpoints().steps().empty()) return run.checkpoints().load_newest();
  spdlog::info("{} has no checkpoint yet: it begins again", run.path().string());
  return std::nullopt;
}

int train(const Arguments& arguments, const std::string& command_line) {
  std::signal(SIGUSR1, on_save_signal);
  const Experiment experiment = Experiment::from_file(arguments.config, arguments.overrides);
  Pack pack = experiment.assemble();  // everything that can be wrong is found before anything is written
  const fs::path path = run_path(arguments, experiment);
  std::optional<Checkpoint> start;
  if (arguments.resume) {
    const RunDirectory existing = RunDirectory::open(path);
    existing.refuse_other_configuration(experiment);
    start = newest_checkpoint(existing);
  }
  const RunDirectory directory =
      arguments.resume ? RunDirectory::open(path) : RunDirectory::create(path, experiment, command_line);
  const TrainerOptions& options = experiment.options().training;
  const auto weights = pack.parameters.count();
  const size_t runs = experiment.run_count();

  MetricsFile metrics(directory.metrics_path(), start ? start->numbers.value("metrics_bytes", uint64_t{0}) : 0);
  Progress progress(start ? start->step : 0, options.steps);
  TrainerEvents events;
  events.evaluated = [&](const std::vector<Row>& rows) {
    metrics.append(rows);
    progress.evaluated(rows);
  };
  events.stepped = [&](int64_t step) { progress.stepped(step); };
  events.checkpoint = [&](Checkpoint checkpoint) {
    checkpoint.numbers["metrics_bytes"] = metrics.offset();
    directory.checkpoints().save(checkpoint, options.keep_last_checkpoints);
  };
  events.interrupted = [] { return received_signal != 0; };
  events.save_asked = take_save_request;
  std::optional<Profile> profile;
  if (arguments.profile) events.spent = [&](std::string_view part) { profile->spent(part); };

  Trainer trainer(options, std::move(pack), std::move(events));
  if (start) trainer.restore(*start);
  spdlog::info("{} {} run{} of {} weights each in {}", start ? "continuing" : "training", runs, runs == 1 ? "" : "s",
               weights, path.string());
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
  if (arguments.profile) profile.emplace(trainer.pack().parameters.flat().device());
  const int64_t first_step = trainer.step();
  const bool finished = trainer.run();
  progress.finish();
  if (profile) std::cout << profile->text(trainer.step() - first_step) << std::flush;
  if (finished) {
    if (!experiment.options().theory.empty()) print_theory_table(theory_table(Inspection(directory, -1)));
    return static_cast<int>(ExitCode::ok);
  }
  spdlog::warn("interrupted; saved at step {}. Continue with: logodds train {} --resume", trainer.step(),
               (path / "config.yaml").string());
  return 128 + received_signal;
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
