#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "core/error.h"
#include "experiments/commands/commands.h"
#include "experiments/run_check.h"
#include "experiments/sweep_directory.h"

namespace logodds {

namespace {

namespace fs = std::filesystem;

/// A run itself; of a sweep, all runs that have begun.
std::vector<fs::path> runs_of(const fs::path& path) {
  if (!SweepDirectory::is_one(path)) return {path};
  std::vector<fs::path> runs;
  for (const auto& entry : fs::directory_iterator(path)) {
    if (fs::exists(entry.path() / "config.yaml")) runs.push_back(entry.path());
  }
  std::ranges::sort(runs);
  return runs;
}

int check(const std::vector<std::string>& paths) {
  size_t problems = 0;
  for (const auto& path : paths) {
    for (const auto& run : runs_of(path)) {
      const RunCheck found = check_run(run);
      for (const auto& note : found.notes) std::cerr << "note: " << note << "\n";
      for (const auto& problem : found.problems) std::cerr << problem << "\n";
      std::cout << run.string() << ": " << found.checkpoints << " checkpoints, " << found.rows << " rows of metrics: "
                << (found.problems.empty() ? "all good" : std::to_string(found.problems.size()) + " problems") << "\n";
      problems += found.problems.size();
    }
  }
  std::cout << std::flush;
  return static_cast<int>(problems == 0 ? ExitCode::ok : ExitCode::io);
}

}  // namespace

void add_check(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("check", "Verify every file of runs or sweeps; changes nothing");
  auto paths = std::make_shared<std::vector<std::string>>();
  command->add_option("RUN", *paths, "Run directories, or directories of sweeps")->required();
  command->callback([paths, &exit_code] { exit_code = check(*paths); });
}

}  // namespace logodds
