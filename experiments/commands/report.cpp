#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <set>
#include <sstream>

#include "core/error.h"
#include "core/files.h"
#include "core/log.h"
#include "core/text.h"
#include "experiments/commands/commands.h"
#include "experiments/report/browser.h"
#include "experiments/report/figures/figures.h"
#include "experiments/report/page.h"
#include "experiments/report/table.h"
#include "experiments/sweep_directory.h"
#include "training/grokking.h"
#include "version.h"

namespace logodds {

namespace {

namespace fs = std::filesystem;

struct Arguments {
  std::vector<std::string> paths;
  std::string out;
  std::string figures;
  std::vector<std::string> inputs;
  size_t look_into = 4;
};

constexpr size_t kMostLines = 60;

/// A line per run: what it reached.
std::vector<std::vector<std::string>> run_table(const Material& material) {
  std::vector<std::vector<std::string>> table{
      {"run", "last step", "train loss", "test loss", "train accuracy", "test accuracy", "grokked at step"}};
  for (const auto& run : material.runs()) {
    if (table.size() > kMostLines) {
      table.push_back({"… and " + std::to_string(material.runs().size() - kMostLines) + " more"});
      break;
    }
    const Row& last = run.rows.back();
    const auto grokked = grokking(run.rows).test_step;
    table.push_back({run.label(), last.at("step").dump(), figure(number(last, "train_loss")),
                     figure(number(last, "test_loss")), percent(number(last, "train_accuracy")),
                     percent(number(last, "test_accuracy")), grokked ? std::to_string(*grokked) : "–"});
  }
  return table;
}

/// The configuration of each path, as it was written down when it was begun.
std::string configurations(const std::vector<std::string>& paths) {
  std::string text;
  for (const auto& path : paths) {
    const fs::path file = fs::path(path) / (SweepDirectory::is_one(path) ? "sweep.yaml" : "config.yaml");
    text += "# " + file.string() + "\n" + read_file(file) + "\n";
  }
  return text;
}

void report(const Arguments& arguments) {
  const auto browser = arguments.figures.empty() ? fs::path() : find_browser();  // before anything is computed
  std::vector<std::vector<int64_t>> inputs;
  for (const auto& text : arguments.inputs) inputs.push_back(parse_input(text));
  const Material material(arguments.paths, arguments.look_into, std::move(inputs));
  const fs::path out =
      arguments.out.empty() ? fs::path(arguments.paths.front()) / "report.html" : fs::path(arguments.out);
  const size_t runs = material.runs().size();
  const Page page{.title = join(arguments.paths),
                  .made = "Report of " + std::to_string(runs) + (runs == 1 ? " run" : " runs") + ", made by logodds " +
                          LOGODDS_VERSION + " (" + LOGODDS_COMMIT + ")",
                  .runs = run_table(material),
                  .configuration = configurations(arguments.paths),
                  .figures = all_figures(material)};
  const std::string html = to_html(page);
  write_file_atomically(out, html);
  spdlog::info("{} figures in {} ({:.1f} MB)", page.figures.size(), out.string(),
               static_cast<double>(html.size()) / 1e6);
  if (arguments.figures.empty()) return;
  write_pictures(browser, out, arguments.figures);
  spdlog::info("each as SVG and PNG in {}", arguments.figures);
}

}  // namespace

void add_report(CLI::App& app) {
  auto* command = app.add_subcommand("report", "Write the figures of runs and sweeps as one HTML file");
  auto arguments = std::make_shared<Arguments>();
  command->add_option("RUN|SWEEP", arguments->paths, "Directories of runs or sweeps, beside each other where several")
      ->required();
  command->add_option("-o,--out", arguments->out, "The file (default report.html in the first directory)");
  command->add_option("--figures", arguments->figures,
                      "Also write each figure as SVG and PNG into this directory, with Chromium or Chrome");
  command
      ->add_option("--input", arguments->inputs,
                   "An input whose evidence is shown, such as 17,45, or an image's number; may be repeated "
                   "(default: some of training and test set)")
      ->allow_extra_args(false);
  command
      ->add_option(
          "--look-into", arguments->look_into,
          "So many runs are looked into, circuits, evidence and weights, one of each setting first (default 4)")
      ->check(CLI::Range(1, 64));
  command->callback([arguments] { report(*arguments); });
}

}  // namespace logodds
