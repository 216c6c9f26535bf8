#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "core/error.h"
#include "experiments/commands/commands.h"
#include "experiments/weights_export.h"

namespace logodds {

namespace {

struct Arguments {
  std::string run_directory, directory;
  int64_t step = -1;
  int64_t run = 0;
  bool reference = false;
};

void export_run(const Arguments& arguments) {
  const Inspection inspection(RunDirectory::open(arguments.run_directory), arguments.step);
  if (arguments.run >= static_cast<int64_t>(inspection.run_count())) {
    throw Error("--run " + std::to_string(arguments.run) + ": the pack has runs 0 to " +
                std::to_string(inspection.run_count() - 1));
  }
  export_weights(inspection, static_cast<size_t>(arguments.run), arguments.directory, arguments.reference);
}

}  // namespace

void add_export(CLI::App& app) {
  auto* command = app.add_subcommand("export", "Write a run's weights for TransformerLens and other programs");
  auto arguments = std::make_shared<Arguments>();
  command->add_option("RUN", arguments->run_directory, "Run directory")->required();
  command->add_option("DIR", arguments->directory, "Where model.safetensors and config.json go; must not exist yet")
      ->required();
  command->add_option("--step", arguments->step, "Checkpoint (default: the newest)")->check(CLI::NonNegativeNumber);
  command->add_option("--run", arguments->run, "Run of the pack (default 0)")->check(CLI::NonNegativeNumber);
  command->add_flag("--reference", arguments->reference,
                    "Also reference.safetensors: logits of all examples and activations of some, to compare with");
  command->callback([arguments] { export_run(*arguments); });
}

}  // namespace logodds
