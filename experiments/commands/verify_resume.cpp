#include <stdlib.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/files.h"
#include "core/log.h"
#include "core/text.h"
#include "experiments/commands/commands.h"
#include "experiments/experiment.h"
#include "experiments/resume_proof.h"

namespace logodds {

namespace {

namespace fs = std::filesystem;

struct Arguments {
  std::string config;
  std::vector<std::string> overrides;
  int64_t steps = 0;
  std::vector<int64_t> stops;
};

/// A directory in $TMPDIR that is removed at the end.
class Scratch {
 public:
  Scratch() : path_((fs::temp_directory_path() / "logodds-verify-resume-XXXXXX").string()) {
    if (::mkdtemp(path_.data()) == nullptr) throw io_error(path_ + ": cannot create directory");
  }
  ~Scratch() { remove_tree(path_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  fs::path path() const { return path_; }

 private:
  std::string path_;
};

/// So many steps that every hook observes three times, but no more than the configuration has.
int64_t default_steps(const Experiment& experiment, const Pack& pack) {
  int64_t longest = experiment.options().training.evaluate_every_steps;
  for (const auto& [name, hook] : pack.hooks) longest = std::max(longest, hook->every_steps());
  return std::min(experiment.options().training.steps, 2 * longest + 1);
}

/// After the first step, in the middle of nothing, at an evaluation, right behind it, before the last step.
std::vector<int64_t> default_stops(int64_t steps, int64_t evaluate_every_steps) {
  std::set<int64_t> stops;
  for (const int64_t stop : {int64_t{1}, steps / 3, evaluate_every_steps, evaluate_every_steps + 1, steps - 1}) {
    if (stop >= 1 && stop < steps) stops.insert(stop);
  }
  return {stops.begin(), stops.end()};
}

void check_stops(const std::vector<int64_t>& stops, int64_t steps) {
  if (steps < 2) throw Error("verify-resume needs at least 2 steps, to stop after the first; set --steps");
  for (size_t i = 0; i < stops.size(); ++i) {
    if (stops[i] >= 1 && stops[i] < steps && (i == 0 || stops[i] > stops[i - 1])) continue;
    throw Error("--stops must be steps in rising order from 1 to " + std::to_string(steps - 1) + ", not '" +
                std::to_string(stops[i]) + "'");
  }
}

int verify_resume(const Arguments& arguments) {
  const Experiment experiment = Experiment::from_file(arguments.config, arguments.overrides);
  TrainerOptions options = experiment.options().training;
  options.steps = arguments.steps > 0 ? arguments.steps : default_steps(experiment, experiment.assemble());
  const auto stops =
      arguments.stops.empty() ? default_stops(options.steps, options.evaluate_every_steps) : arguments.stops;
  check_stops(stops, options.steps);
  std::vector<std::string> words;
  for (const int64_t stop : stops) words.push_back(std::to_string(stop));
  spdlog::info("training {} steps twice, the second time stopped and continued after step {}", options.steps,
               join(words));
  const Scratch scratch;
  const ResumeProof proof = prove_resume([&] { return experiment.assemble(); }, options, stops, scratch.path());
  for (const auto& difference : proof.differences) std::cout << difference << "\n";
  const size_t count = proof.differences.size();
  std::cout << arguments.config << ": " << proof.tensors << " tensors of weights, optimizer and hooks and "
            << proof.rows << " rows of metrics after " << options.steps << " steps and " << stops.size()
            << " interruptions: " << (count == 0 ? "all equal, byte for byte" : std::to_string(count) + " differences")
            << "\n"
            << std::flush;
  return static_cast<int>(count == 0 ? ExitCode::ok : ExitCode::internal);
}

}  // namespace

void add_verify_resume(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand(
      "verify-resume", "Train a configuration with and without interruptions, and compare every tensor and figure");
  auto arguments = std::make_shared<Arguments>();
  command->add_option("CONFIG", arguments->config, "YAML file; nothing is written but to a temporary directory")
      ->required();
  command->add_option("key=value", arguments->overrides, "Overrides, such as training.batch_size=100");
  command
      ->add_option("--steps", arguments->steps,
                   "How many steps (default: until each hook has observed three times, training.steps at most)")
      ->check(CLI::PositiveNumber);
  command->add_option("--stops", arguments->stops, "After which steps it is interrupted, such as 1,50,51")
      ->delimiter(',');
  command->callback([arguments, &exit_code] { exit_code = verify_resume(*arguments); });
}

}  // namespace logodds
