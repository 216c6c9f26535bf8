#include "experiments/report/sampling.h"

#include <ATen/Parallel.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <memory>

#include "core/error.h"
#include "core/files.h"
#include "core/json.h"
#include "experiments/commands/commands.h"
#include "experiments/interruption.h"
#include "experiments/report/csv.h"
#include "experiments/sampling.h"
#include "experiments/spectrum.h"
#include "experiments/sweep_directory.h"

namespace logodds {

namespace {

namespace fs = std::filesystem;

struct Arguments {
  std::string directory, settings, state, out;
  std::vector<std::string> overrides;
  int64_t step = -1;
  int64_t run = -1;
  int threads = 0;
  bool json = false;
  bool calibrate = false;
  bool checkpoints = false;
};

/// Of one run: its figures; null where it was interrupted.
using Sampled = std::function<Row(const Inspection& inspection, size_t run)>;

/// The runs of a directory that were asked for: all of them, or one.
std::vector<size_t> chosen_runs(const Inspection& inspection, int64_t run) {
  const auto count = static_cast<int64_t>(inspection.run_count());
  if (run >= count) {
    throw Error("--run " + std::to_string(run) + ": the pack has runs 0 to " + std::to_string(count - 1));
  }
  std::vector<size_t> runs;
  for (int64_t r = 0; r < count; ++r) {
    if (run < 0 || run == r) runs.push_back(static_cast<size_t>(r));
  }
  return runs;
}

/// The run directories of a sweep whose training is finished; or the one run directory that was named.
std::vector<fs::path> directories_of(const std::string& path) {
  if (!SweepDirectory::is_one(path)) return {path};
  const SweepDirectory directory{path};
  const Sweep sweep = Sweep::from_file((fs::path(path) / "sweep.yaml").string());
  std::vector<fs::path> finished;
  for (const auto& pack : sweep.packs()) {
    if (directory.state(pack) == SweepDirectory::State::finished) finished.push_back(directory.run_path(pack));
  }
  if (finished.empty()) throw io_error(path + ": no training of this sweep is finished");
  return finished;
}

/// A run directory at one step; -1 is its newest checkpoint.
using Place = std::pair<fs::path, int64_t>;

/// Where the runs lie that were asked for, each at the steps that were.
std::vector<Place> places_of(const Arguments& arguments) {
  std::vector<Place> places;
  for (const auto& directory : directories_of(arguments.directory)) {
    std::vector<int64_t> steps;
    if (arguments.checkpoints) steps = RunDirectory::open(directory).checkpoints().steps();
    if (steps.empty()) steps.push_back(arguments.step);
    for (const int64_t step : steps) places.emplace_back(directory, step);
  }
  return places;
}

/// Samples every run that was asked for, in turn; `done` hears of each. False where it was interrupted.
bool sample_all(const Arguments& arguments, const Sampled& sampled, const std::function<void(const Row&)>& done) {
  const auto places = places_of(arguments);
  listen_for_interruption();
  for (const auto& [directory, step] : places) {
    const RunDirectory run_directory = RunDirectory::open(directory);
    if (step >= 0 && arguments.checkpoints && !fs::exists(run_directory.checkpoints().path_of(step)))
      continue;  // training went on
    const Inspection inspection(run_directory, step);
    if (arguments.threads > 0) at::set_num_threads(arguments.threads);
    const auto runs = chosen_runs(inspection, arguments.run);
    if (!arguments.state.empty() && (places.size() > 1 || runs.size() > 1 || arguments.calibrate))
      throw Error("--state keeps the chains of one run: name it with --run, and leave out --calibrate");
    for (const size_t run : runs) {
      const Row row = sampled(inspection, run);
      if (row.is_null()) return false;
      Row whole{{"directory", directory.string()}};
      whole.update(row);
      done(whole);
    }
  }
  return true;
}

void print_json(const Row& rows) { std::cout << to_json(rows.size() == 1 ? rows.front() : rows) << "\n"; }

int llc(const Arguments& arguments) {
  const SamplingOptions options = read_sampling(arguments.settings, arguments.overrides);
  bool refused = false;
  Row rows = Row::array();
  const auto sampled = [&](const Inspection& inspection, size_t run) {
    const Sampling sampling(inspection, run, options);
    return arguments.calibrate ? sampling.calibration(interrupted) : sampling.coefficient(arguments.state, interrupted);
  };
  const bool finished = sample_all(arguments, sampled, [&](const Row& row) {
    rows.push_back(row);
    refused = refused || (!arguments.calibrate && !row.at("refused").empty());
    if (arguments.json || arguments.checkpoints) return;
    arguments.calibrate ? print_calibration(row) : print_coefficient(row);
  });
  if (!finished) return 128 + interruption();
  if (arguments.json) {
    print_json(rows);
  } else if (arguments.checkpoints) {
    print_checkpoints(rows);
  }
  return static_cast<int>(refused ? ExitCode::incomplete : ExitCode::ok);
}

int spectrum(const Arguments& arguments) {
  const SpectrumOptions options = read_spectrum(arguments.settings, arguments.overrides);
  Row rows = Row::array();
  const auto sampled = [&](const Inspection& inspection, size_t run) {
    return spectrum_row(inspection, run, options, arguments.state, interrupted);
  };
  std::vector<Row> points;  // of all runs, for the CSV file
  const bool finished = sample_all(arguments, sampled, [&](const Row& row) {
    rows.push_back(row);
    for (const auto& point : row.at("points")) {
      Row line{{"directory", row.at("directory")}, {"run", row.at("run")}, {"label", row.at("label")}};
      line.update(point);
      points.push_back(std::move(line));
    }
    if (!arguments.json) print_spectrum(row);
  });
  if (!finished) return 128 + interruption();
  if (arguments.json) print_json(rows);
  if (!arguments.out.empty()) write_file_atomically(arguments.out, to_csv(points));
  return static_cast<int>(ExitCode::ok);
}

/// The options that both commands have.
std::shared_ptr<Arguments> add_common(CLI::App* command) {
  auto arguments = std::make_shared<Arguments>();
  command->add_option("RUN", arguments->directory, "Run directory, or directory of a sweep: all its finished runs")
      ->required();
  command->add_option("key=value", arguments->overrides,
                      "Settings of the sampler, such as sampler.step_size=1e-6 chains=64 (logodds list sampling)");
  command->add_option("--settings", arguments->settings, "YAML file of such settings");
  command->add_option("--step", arguments->step, "Checkpoint to look at (default: the newest)")
      ->check(CLI::NonNegativeNumber);
  command->add_option("--run", arguments->run, "Run of the pack (default: all)")->check(CLI::NonNegativeNumber);
  command->add_option("--threads", arguments->threads, "CPU threads (default: those of the run)")
      ->check(CLI::PositiveNumber);
  command->add_option("--state", arguments->state,
                      "File that keeps the chains, also on Ctrl-C: they are continued from it where it exists");
  command->add_flag("--json", arguments->json, "Print JSON for programs");
  return arguments;
}

}  // namespace

void add_llc(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("llc", "Estimate the learning coefficient of a trained run by sampling around it");
  auto arguments = add_common(command);
  auto* calibrate = command->add_flag("--calibrate", arguments->calibrate,
                                      "Try a grid of step sizes, localisations and temperatures");
  command
      ->add_flag("--checkpoints", arguments->checkpoints,
                 "At every checkpoint that is kept, oldest first; also while the run is trained")
      ->excludes(calibrate)
      ->excludes("--step");
  command->callback([arguments, &exit_code] { exit_code = llc(*arguments); });
}

void add_spectrum(CLI::App& app, int& exit_code) {
  auto* command =
      app.add_subcommand("spectrum", "Energy and heat capacity of a trained run over a ladder of temperatures");
  auto arguments = add_common(command);
  command->add_option("-o,--out", arguments->out, "CSV file of the points");
  command->callback([arguments, &exit_code] { exit_code = spectrum(*arguments); });
}

}  // namespace logodds
