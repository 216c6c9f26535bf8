#include "experiments/report/theory.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "core/json.h"
#include "experiments/commands/commands.h"
#include "experiments/theory.h"

namespace logodds {

namespace {

struct Arguments {
  std::string directory;
  int64_t step = -1;
  bool json = false;
};

void theory(const Arguments& arguments) {
  const Row rows = theory_table(Inspection(RunDirectory::open(arguments.directory), arguments.step));
  if (arguments.json) {
    std::cout << to_json(rows) << "\n";
  } else {
    print_theory_table(rows);
  }
}

}  // namespace

void add_theory(CLI::App& app) {
  auto* command = app.add_subcommand("theory", "What theory states of a trained run, and what was measured");
  auto arguments = std::make_shared<Arguments>();
  command->add_option("RUN", arguments->directory, "Run directory")->required();
  command->add_option("--step", arguments->step, "Checkpoint to look at (default: the newest)")
      ->check(CLI::NonNegativeNumber);
  command->add_flag("--json", arguments->json, "Print JSON for programs");
  command->callback([arguments] { theory(*arguments); });
}

}  // namespace logodds
