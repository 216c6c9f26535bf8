#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/files.h"
#include "core/log.h"
#include "experiments/commands/commands.h"
#include "experiments/report/comparison.h"
#include "experiments/report/results_page.h"
#include "experiments/report/table.h"
#include "experiments/reproduction.h"

namespace logodds {

namespace {

namespace fs = std::filesystem;

struct Arguments {
  std::string name;
  std::string out;
  std::string page;
  int64_t workers = 0;
  bool json = false;
};

fs::path default_path(const std::string& name) { return fs::path("runs") / "published" / name; }

bool is_trained(const PublishedEntry& entry, const fs::path& root) {
  return fs::exists(root / entry.name) && Reproduction(entry, root / entry.name).trained();
}

/// An entry with what is in its directory under `root`, if all of it was trained.
EntryResults results_of(const std::string& name, const fs::path& root) {
  EntryResults results{read_published(name), nullptr, nullptr};
  if (!is_trained(results.entry, root)) return results;
  const Reproduction reproduction(results.entry, root / results.entry.name);
  results.rows = reproduction.rows();
  results.provenance = reproduction.provenance();
  return results;
}

int reproduce(const Arguments& arguments, const std::string& command_line) {
  const PublishedEntry entry = read_published(arguments.name);
  const Reproduction reproduction(entry, arguments.out.empty() ? default_path(entry.name) : fs::path(arguments.out));
  const int exit_code = reproduction.train(static_cast<size_t>(arguments.workers), command_line);
  if (exit_code != 0) {
    spdlog::warn("not finished. Continue with the same command; the directory is {}", reproduction.path().string());
    return exit_code;
  }
  const Row rows = reproduction.rows();
  if (arguments.json) {
    std::cout << Row{{"entry", entry.name}, {"figures", rows}, {"provenance", reproduction.provenance()}}.dump(1)
              << "\n";
  } else {
    std::cout << entry.title << "\n" << entry.source << "\n\n" << comparison_text(rows, "published") << std::flush;
  }
  return exit_code;
}

void write_page(const Arguments& arguments) {
  const fs::path root = arguments.out.empty() ? default_path("") : fs::path(arguments.out);
  std::vector<EntryResults> results;
  if (arguments.name.empty()) {
    for (const auto& name : published_names()) results.push_back(results_of(name, root));
  } else {
    results.push_back(results_of(arguments.name, root));
  }
  write_file_atomically(arguments.page, results_page(results));
}

void list_entries(const Arguments& arguments) {
  const fs::path root = arguments.out.empty() ? default_path("") : fs::path(arguments.out);
  Table table({"entry", "figures", "core time", "trained here", "it took"});
  for (const auto& name : published_names()) {
    const PublishedEntry entry = read_published(name);
    const double spent = core_seconds(root / name);
    table.add({name, std::to_string(entry.figures.size()), core_time(60 * entry.core_minutes),
               is_trained(entry, root) ? "yes" : "no", spent > 0 ? core_time(spent) : "–"});
    std::cout << name << ": " << entry.title << "\n    " << entry.source << "\n";
  }
  std::cout << "\n" << table.text() << "\nlogodds reproduce NAME trains one and holds it against what is published\n";
}

int run(const Arguments& arguments, const std::string& command_line) {
  if (!arguments.page.empty()) {
    write_page(arguments);
  } else if (arguments.name.empty()) {
    list_entries(arguments);
  } else {
    return reproduce(arguments, command_line);
  }
  return static_cast<int>(ExitCode::ok);
}

}  // namespace

void add_reproduce(CLI::App& app, const std::string& command_line, int& exit_code) {
  auto* command = app.add_subcommand("reproduce", "Train a published setting and hold it against what is published");
  auto arguments = std::make_shared<Arguments>();
  command->add_option("NAME", arguments->name,
                      "An entry, or a file NAME.yaml of that form; without it, the entries are listed");
  command->add_option("--out", arguments->out,
                      "Directory of the trainings (default runs/published/NAME); those there are continued. "
                      "With --page and without NAME: of all of them (default runs/published)");
  command->add_option("--workers", arguments->workers, "Trainings at a time (default one per core)")
      ->check(CLI::Range(1, 4096));
  auto* json = command->add_flag("--json", arguments->json, "Print JSON for programs");
  command->add_option("--page", arguments->page, "Train nothing; write what is trained to this file, in Markdown")
      ->excludes(json);
  command->callback([arguments, command_line, &exit_code] { exit_code = run(*arguments, command_line); });
}

}  // namespace logodds
