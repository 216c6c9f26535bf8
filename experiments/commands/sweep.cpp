#include <spdlog/fmt/fmt.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <map>
#include <memory>

#include "core/error.h"
#include "core/files.h"
#include "core/log.h"
#include "core/text.h"
#include "experiments/commands/commands.h"
#include "experiments/report/csv.h"
#include "experiments/report/sweep_table.h"
#include "experiments/slurm.h"
#include "experiments/sweep_runner.h"

namespace logodds {

namespace {

namespace fs = std::filesystem;

struct Arguments {
  std::string config;
  std::vector<std::string> overrides;
  std::string out;
  int64_t workers = 0;
  std::string shard;
  bool collect = false;
  bool status = false;
  bool slurm = false;
  std::string slurm_options;
  int64_t tasks = 0;
};

/// "2/8": the third of eight.
Shard read_shard(const std::string& text) {
  const size_t slash = text.find('/');
  const auto index = parse_integer(text.substr(0, slash));
  const auto count = slash == std::string::npos ? std::nullopt : parse_integer(text.substr(slash + 1));
  if (!index || !count || *index < 0 || *index >= *count) {
    throw Error("--shard: '" + text + "' must be I/N with I in 0 … N-1, such as 0/8");
  }
  return {static_cast<size_t>(*index), static_cast<size_t>(*count)};
}

/// What the summary is by: all keys but the seed.
std::vector<std::string> setting_keys(const Sweep& sweep) {
  auto keys = sweep.keys();
  std::erase(keys, "seed");
  return keys;
}

/// Writes table.csv and summary.csv and shows the summary; says what is lacking.
int collect(const Sweep& sweep, const SweepDirectory& directory) {
  const auto rows = directory.table(sweep), groups = summary(sweep, rows);
  write_file_atomically(directory.path() / "table.csv", to_csv(rows));
  write_file_atomically(directory.path() / "summary.csv", to_csv(groups));
  std::cout << summary_text(setting_keys(sweep), groups) << std::flush;
  size_t diverged = 0, lacking = 0;
  for (const auto& row : rows) {
    diverged += row.at("state") == "diverged" ? 1 : 0;
    lacking += row.at("state") != "diverged" && row.at("state") != "finished" ? 1 : 0;
  }
  spdlog::info("a line per run is in {}, this summary in {}", (directory.path() / "table.csv").string(),
               (directory.path() / "summary.csv").string());
  if (diverged > 0) spdlog::warn("{} of {} runs diverged; they count as never grokked", diverged, rows.size());
  if (lacking > 0) {
    spdlog::error("{} of {} runs are not finished; try them again with: logodds sweep {}", lacking, rows.size(),
                  directory.path().string());
    return static_cast<int>(ExitCode::incomplete);
  }
  return static_cast<int>(diverged > 0 ? ExitCode::diverged : ExitCode::ok);
}

/// A configuration, or the directory of a sweep that is there.
Sweep read_sweep(const Arguments& arguments) {
  const bool is_directory = SweepDirectory::is_one(arguments.config);
  return Sweep::from_file(is_directory ? (fs::path(arguments.config) / "sweep.yaml").string() : arguments.config,
                          arguments.overrides);
}

/// Whether a file is what a sweep wrote into its directory, and not a configuration of that name.
bool is_of_a_sweep(const fs::path& config) { return read_file(config) == Sweep::from_file(config.string()).resolved(); }

SweepDirectory directory_of(const Arguments& arguments, const Sweep& sweep) {
  if (!arguments.out.empty()) return SweepDirectory(arguments.out);
  const fs::path config(arguments.config);
  if (SweepDirectory::is_one(config)) return SweepDirectory(config);
  if (config.filename() == "sweep.yaml" && is_of_a_sweep(config))
    return SweepDirectory(fs::absolute(config).parent_path());
  return SweepDirectory(fs::path("runs") / sweep.name());
}

/// How many trainings at a time are quickest on `cpus` of them.
size_t workers_on(const Sweep& sweep, size_t cpus) {
  const ExperimentOptions& options = sweep.packs().front().experiment.options();
  return options.device == "cpu" ? std::max<size_t>(1, cpus / static_cast<size_t>(options.threads)) : 1;
}

/// What has been trained: how many in each state, and every training that is neither waiting nor finished.
int show_status(const Sweep& sweep, const SweepDirectory& directory) {
  std::map<std::string, size_t> counts;
  for (const auto& pack : sweep.packs()) {
    const auto state = directory.state(pack);
    ++counts[name_of(state)];
    if (state == SweepDirectory::State::waiting || state == SweepDirectory::State::finished) continue;
    const auto failure = directory.failure(pack);
    std::cout << fmt::format("{}: {} at step {}/{}{}\n", pack.name, name_of(state),
                             directory.last_step(pack).value_or(0), pack.experiment.options().training.steps,
                             failure ? ": " + failure->message : "");
  }
  std::vector<std::string> words;
  for (const auto& [name, count] : counts) words.push_back(std::to_string(count) + " " + name);
  std::cout << "trainings: " << join(words) << "\n" << std::flush;
  return static_cast<int>(ExitCode::ok);
}

int submit_sweep(const Arguments& arguments, const Sweep& sweep, const SweepDirectory& directory) {
  const SlurmOptions options = read_slurm_options(arguments.slurm_options);
  const size_t workers = workers_on(sweep, static_cast<size_t>(options.cpus_per_task));
  auto tasks = static_cast<size_t>(arguments.tasks);
  if (tasks == 0) {
    const auto seconds = measure_training(sweep, directory);
    if (!seconds) {
      throw Error(
          "--slurm: how long a training takes could not be measured on this machine; say how many tasks the "
          "array is to have with --tasks N");
    }
    tasks = array_tasks(sweep.packs().size(), *seconds, options.limit_seconds, workers);
    spdlog::info("a training takes about {} here", duration(*seconds));
  }
  tasks = std::min(tasks, sweep.packs().size());
  const std::string job = submit(sweep, directory, options, tasks, workers);
  spdlog::info(
      "job {}: {} trainings in {} tasks, {} at a time in each; then a job that gathers the table. How far it is: "
      "logodds sweep {} --status",
      job, sweep.packs().size(), tasks, workers, directory.path().string());
  return static_cast<int>(ExitCode::ok);
}

int train_sweep(const Arguments& arguments, const Sweep& sweep, const SweepDirectory& directory,
                const std::string& command_line) {
  const bool whole = arguments.shard.empty();
  const Shard shard = whole ? Shard{} : read_shard(arguments.shard);
  const size_t workers =
      arguments.workers > 0 ? static_cast<size_t>(arguments.workers) : workers_on(sweep, usable_cpus());
  spdlog::info("{}{} runs in {} trainings, {} at a time, in {}", whole ? "" : "shard " + arguments.shard + " of ",
               sweep.run_count(), sweep.packs().size(), workers, directory.path().string());
  const auto outcome = SweepRunner(sweep, directory, shard, workers, command_line).run();
  if (outcome.signal != 0) {
    spdlog::warn("interrupted and saved. Continue with: logodds sweep {}{}", directory.path().string(),
                 whole ? "" : " --shard " + arguments.shard);
    return 128 + outcome.signal;
  }
  if (whole) return collect(sweep, directory);
  if (outcome.failed > 0) return static_cast<int>(ExitCode::incomplete);
  return static_cast<int>(outcome.diverged > 0 ? ExitCode::diverged : ExitCode::ok);
}

int run_sweep(const Arguments& arguments, const std::string& command_line) {
  const Sweep sweep = read_sweep(arguments);
  const SweepDirectory directory = directory_of(arguments, sweep);
  if (!arguments.shard.empty()) read_shard(arguments.shard);
  if (arguments.collect || arguments.status) {
    if (!SweepDirectory::is_one(directory.path())) {
      throw io_error(directory.path().string() + ": is not the directory of a sweep (it has no sweep.yaml)");
    }
    return arguments.status ? show_status(sweep, directory) : collect(sweep, directory);
  }
  directory.prepare(sweep);
  return arguments.slurm ? submit_sweep(arguments, sweep, directory)
                         : train_sweep(arguments, sweep, directory, command_line);
}

}  // namespace

void add_sweep(CLI::App& app, const std::string& command_line, int& exit_code) {
  auto* command = app.add_subcommand("sweep", "Train every combination of the values under 'sweep', on all cores");
  auto arguments = std::make_shared<Arguments>();
  command
      ->add_option("CONFIG", arguments->config,
                   "YAML file with a section 'sweep', or the directory of a sweep to continue")
      ->required();
  command->add_option("key=value", arguments->overrides, "Overrides, such as training.steps=500 or sweep.seed=[0,1]");
  command->add_option("--out", arguments->out,
                      "Directory of the sweep (default runs/NAME); a sweep there is continued");
  command->add_option("--workers", arguments->workers, "Trainings at a time (default one per core; on a GPU one)")
      ->check(CLI::Range(1, 4096));
  auto* shard =
      command->add_option("--shard", arguments->shard,
                          "I/N: train every Nth training only, from the Ith (from 0) on; for several machines");
  auto* collect_only =
      command->add_flag("--collect", arguments->collect, "Train nothing; make the table of what is there");
  auto* status =
      command->add_flag("--status", arguments->status, "Train nothing; say what is trained, and what failed");
  auto* slurm =
      command
          ->add_option_function<std::string>(
              "--slurm",
              [arguments](const std::string& options) {
                arguments->slurm = true;
                arguments->slurm_options = options == "{}" ? "" : options;
              },
              "Submit to Slurm as an array, with these options of sbatch, such as --slurm='--time=2:00:00 -c 4'")
          ->expected(0, 1)
          ->default_str("");
  command->add_option("--tasks", arguments->tasks, "Tasks of the array (default: as many as the time limit asks for)")
      ->check(CLI::Range(1, 1000))
      ->needs(slurm);
  for (auto* other : {collect_only, status, slurm}) other->excludes(shard);
  collect_only->excludes(status)->excludes(slurm);
  status->excludes(slurm);
  command->callback([arguments, command_line, &exit_code] { exit_code = run_sweep(*arguments, command_line); });
}

}  // namespace logodds
