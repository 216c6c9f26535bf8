#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "core/error.h"
#include "core/list_fields.h"
#include "core/text.h"
#include "experiments/commands/commands.h"
#include "experiments/experiment.h"
#include "experiments/measure.h"
#include "models/circuits/circuits.h"
#include "training/claim.h"
#include "training/samplers/spectrum.h"

namespace logodds {

namespace {

void print_fields(const std::vector<FieldDescription>& fields, const std::string& indent) {
  for (const auto& field : fields) {
    std::cout << indent << field.key << ": " << field.value << "\n"
              << indent << "    " << field.meaning << " [" << field.allowed
              << (field.per_run ? "; may differ between runs" : "") << "]\n";
  }
}

void print_catalogue(const Catalogue& catalogue, bool details) {
  std::cout << catalogue.sort() << "\n";
  for (const auto& entry : catalogue.entries()) {
    std::cout << "  " << entry.name << " — " << entry.summary << "\n";
    if (!details) continue;
    ListFields fields;
    entry.choose()->fields(fields);
    print_fields(fields.descriptions(), "      ");
  }
}

void list(const std::string& kind) {
  const std::vector<const Catalogue*> catalogues{&tasks(),      &models(),     &decompositions(), &losses(),
                                                 &optimizers(), &transforms(), &schedules(),      &hooks(),
                                                 &claims(),     &samplers(),   &measures()};
  std::vector<std::string> names{"settings", "sampling"};
  for (const Catalogue* catalogue : catalogues) {
    if (kind.empty() || kind == catalogue->sort()) print_catalogue(*catalogue, !kind.empty());
    names.push_back(catalogue->sort());
  }
  if (std::ranges::count(names, kind) == 0 && !kind.empty())
    throw Error("'" + kind + "' is not a kind of component" + suggestion(kind, names));
  if (kind.empty())
    std::cout << "\nlogodds list settings    the keys of a configuration\nlogodds list KIND        the keys of tasks, "
                 "models, circuits, losses, optimizers, transforms, schedules, hooks, claims, samplers or "
                 "measures\nlogodds list "
                 "sampling    the settings of llc and "
                 "spectrum\n";
  if (kind == "sampling") {
    SamplingOptions options;
    ListFields fields;
    options.fields(fields);
    std::cout << "settings of llc, with their defaults\n";
    print_fields(fields.descriptions(), "  ");
    SpectrumOptions spectrum;
    ListFields all;
    spectrum.fields(all);
    std::cout << "settings of spectrum\n";
    print_fields(all.descriptions(), "  ");
  }
  if (kind == "settings") {
    ExperimentOptions options;
    ListFields fields;
    options.fields(fields);
    std::cout << "keys of a configuration, with their defaults\n";
    print_fields(fields.descriptions(), "  ");
    std::cout << "  sweep: none\n      for `logodds sweep`: keys, each with what it takes on: a list, {from: A, to: B, "
                 "count: N, scale: linear | log}\n      or {count: N, from: A} for A, A + 1, …; under zip, keys that "
                 "advance together; pack_runs, how many runs are trained at once\n";
  }
}

}  // namespace

void add_list(CLI::App& app) {
  auto* command = app.add_subcommand("list", "List the components and their keys");
  auto kind = std::make_shared<std::string>();
  command->add_option("KIND", *kind,
                      "settings, sampling, tasks, models, circuits, losses, optimizers, transforms, schedules, hooks, "
                      "claims, samplers or measures");
  command->callback([kind] { list(*kind); });
}

}  // namespace logodds
