#include "experiments/report/results_page.h"

#include <spdlog/fmt/fmt.h>

#include <cmath>

#include "core/text.h"
#include "experiments/report/comparison.h"

namespace logodds {

namespace {

/// Text of a cell of a Markdown table.
std::string cell(std::string text) {
  for (size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) text.insert(at, "\\");
  return text;
}

std::string listed(const Row& names) {
  std::vector<std::string> words;
  for (const auto& name : names) words.push_back(name);
  return words.empty() ? "unknown" : join(words);
}

std::string measured_section(const EntryResults& results) {
  std::string text = "| | published | measured | 95 % interval | runs | verdict |\n|---|---|---|---|---|---|\n";
  std::string notes;
  for (const auto& row : results.rows) {
    text += fmt::format("| {} | {} | {} | {} | {} | {} |\n", cell(row.at("what")), cell(row.at("published")),
                        measured_text(row), interval_text(row), row.at("runs").dump(),
                        row.at("verdict").get<std::string>());
    for (const char* note : {"why", "reason"}) {
      if (!row.contains(note)) continue;
      notes += fmt::format("- {}: {}{}\n", row.at("what").get<std::string>(),
                           std::string(note) == "why" ? "tolerance: " : "reason: ", row.at(note).get<std::string>());
    }
  }
  return text + (notes.empty() ? "" : "\n" + notes) +
         fmt::format("\nTrained with commit {} on {}; {} of core time.\n", listed(results.provenance.at("commits")),
                     listed(results.provenance.at("machines")),
                     core_time(results.provenance.at("core_seconds").get<double>()));
}

}  // namespace

std::string core_time(double seconds) {
  if (seconds < 100) return fmt::format("{:.0f} s", seconds);
  const auto minutes = static_cast<int64_t>(std::lround(seconds / 60));
  return minutes < 100 ? fmt::format("{} min", minutes) : fmt::format("{} h {} min", minutes / 60, minutes % 60);
}

std::string results_page(const std::vector<EntryResults>& results) {
  size_t measured = 0, figures = 0, reproduced = 0;
  std::string body, waiting;
  for (const auto& one : results) {
    if (one.rows.is_null()) {
      waiting += fmt::format("| {} | {} | {} |\n", one.entry.name, cell(one.entry.title),
                             core_time(60 * one.entry.core_minutes));
      continue;
    }
    body += fmt::format("\n## {}\n\n{}. `logodds reproduce {}`\n\n", one.entry.title, one.entry.source, one.entry.name);
    ++measured;
    for (const auto& row : one.rows) {
      ++figures;
      reproduced += row.at("verdict") == name_of(Verdict::reproduced) ? 1 : 0;
    }
    body += measured_section(one);
  }
  if (!waiting.empty())
    body += "\n## Not measured\n\n| `logodds reproduce` | | core time, about |\n|---|---|---|\n" + waiting;
  return fmt::format(
             "# Published results, measured\n\n"
             "Written by `logodds reproduce --page`; every figure below is read from trained runs. Measured is the "
             "median "
             "over the\nruns, the interval that of the median (bootstrap); \"> N\" was not seen within N steps. A "
             "figure "
             "is reproduced where\nits measured value is the published one up to the tolerance stated, unclear where "
             "only "
             "its interval reaches that far.\n\n"
             "{} of {} entries measured; {} of their {} figures reproduced.\n",
             measured, results.size(), reproduced, figures) +
         body;
}

}  // namespace logodds
