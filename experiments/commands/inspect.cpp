#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <memory>

#include "core/error.h"
#include "core/text.h"
#include "experiments/commands/commands.h"
#include "experiments/inspection.h"
#include "experiments/report/table.h"

namespace logodds {

namespace {

struct Arguments {
  std::string directory;
  int64_t step = -1;
  int64_t run = -1;
  std::string input;
  bool json = false;
};

std::vector<int64_t> parse_input(const std::string& text) {
  std::vector<int64_t> input;
  std::stringstream words(text);
  std::string word;
  while (std::getline(words, word, ',')) {
    const auto number = parse_integer(word);
    if (!number) throw Error("--input must be whole numbers such as 17,45, not '" + text + "'");
    input.push_back(*number);
  }
  return input;
}

double number(const Row& row, const std::string& key) {
  const auto found = row.find(key);
  return found == row.end() || !found->is_number() ? std::nan("") : found->get<double>();
}

double scale(const Row& row, const std::string& set) { return number(row, "logit_bloat.s_star_" + set); }

std::string key_circuits_text(const Row& row) {
  std::string text;
  for (const auto& frequency : row.at("logit_decomposition.key_frequencies")) {
    text += (text.empty() ? "" : " ") + std::to_string(frequency.get<int64_t>());
  }
  return text.empty() ? "none" : text;
}

/// All runs side by side: what they reached, their circuits and their bloat.
void print_overview(const Inspection& inspection, const std::vector<Row>& rows) {
  std::printf("Step %lld\n\n", static_cast<long long>(inspection.step()));
  Table results({"run", "train loss", "test loss", "train acc.", "test acc.", "‖w‖"});
  Table circuits({"run", "FVE of key cosines", "restricted loss", "excluded loss", "key frequencies κ"});
  Table bloat({"run", "rms logit", "train s*", "test s*", "bloat -ln s*", "gap L(1)-L(s*)"});
  for (const auto& row : rows) {
    const std::string name = row.at("run").dump() + "  " + row.at("label").get<std::string>();
    results.add({name, figure(number(row, "train_loss")), figure(number(row, "test_loss")),
                 percent(number(row, "train_accuracy")), percent(number(row, "test_accuracy")),
                 figure(number(row, "weight_norms.total"))});
    circuits.add({name, percent(number(row, "logit_decomposition.key_fve")),
                  figure(number(row, "logit_decomposition.restricted_loss_test")),
                  figure(number(row, "logit_decomposition.excluded_loss_test")), key_circuits_text(row)});
    bloat.add({name, figure(number(row, "logit_bloat.rms_test")), figure(scale(row, "train")),
               figure(scale(row, "test")), signed_figure(number(row, "logit_bloat.index")),
               figure(number(row, "logit_bloat.calibration_gap_test"))});
  }
  std::cout << results.text()
            << "\nCircuits: the logits split by output frequency κ; test losses with the key circuits alone\n"
            << "(restricted) and without them (excluded), nats\n"
            << circuits.text()
            << "\nBloat: s* is the factor on the logits that would lower the loss most; ∞ means that scaling up\n"
            << "always helps, because every example is right; 1 is calibrated\n"
            << bloat.text();
}

/// One run's circuits, largest first.
void print_circuits(const Row& row, const std::vector<std::string>& labels) {
  const auto column = [&](const char* name) {
    return row.at(std::string("logit_decomposition.") + name).get<std::vector<double>>();
  };
  const auto energy = column("energy_share"), coefficient = column("cosine_coefficient"), fve = column("cosine_fve"),
             margin = column("margin");
  std::vector<size_t> order(labels.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::stable_sort(order, [&](size_t a, size_t b) { return energy[a] > energy[b]; });
  constexpr size_t kShown = 12;
  Table table({"circuit", "energy", "A of cos w(y-c)", "cosine FVE", "mean margin, nats", "as odds"});
  double rest_energy = 0, rest_fve = 0, rest_margin = 0, total_margin = 0;
  for (size_t i = 0; i < order.size(); ++i) {
    const size_t p = order[i];
    total_margin += margin[p];
    if (i < kShown) {
      table.add({labels[p], percent(energy[p]), signed_figure(coefficient[p]), percent(fve[p]),
                 signed_figure(margin[p]), odds(margin[p])});
    } else {
      rest_energy += energy[p], rest_fve += fve[p], rest_margin += margin[p];
    }
  }
  if (order.size() > kShown) {
    table.add({std::to_string(order.size() - kShown) + " others", percent(rest_energy), "", percent(rest_fve),
               signed_figure(rest_margin), odds(rest_margin)});
  }
  table.rule();
  table.add({"sum", "", "", "", signed_figure(total_margin), odds(total_margin)});
  std::cout << "\nCircuits of run " << row.at("run") << " (" << row.at("label").get<std::string>()
            << "), largest first; margin: evidence for the right answer\nagainst the runner-up\n"
            << table.text() << "completeness error max|f - Σ f_κ| / max|f|: "
            << figure(number(row, "logit_decomposition.completeness_error"), 2) << "\n";
}

void print_evidence(const Inspection& inspection, size_t run, const Inspection::Evidence& evidence) {
  std::cout << "Run " << run << " (" << inspection.label(run) << "), step " << inspection.step() << ": "
            << evidence.question << " = " << evidence.target << "\nEvidence of each circuit for " << evidence.target
            << " against the runner-up " << evidence.runner_up << "\n\n";
  Table table({"circuit", "nats", "odds", "product so far"});
  double running = 0, rest = 0;
  size_t others = 0;
  for (const auto& circuit : evidence.circuits) {
    if (!circuit.key) {
      rest += circuit.evidence;
      ++others;
      continue;
    }
    running += circuit.evidence;
    table.add({circuit.label, signed_figure(circuit.evidence), odds(circuit.evidence), odds(running)});
  }
  running += rest;
  if (others > 0) table.add({std::to_string(others) + " others", signed_figure(rest), odds(rest), odds(running)});
  table.rule();
  table.add({"sum", signed_figure(evidence.sum), odds(evidence.sum), ""});
  table.add({"model's own logits", signed_figure(evidence.margin), odds(evidence.margin), ""});
  std::cout << table.text() << "probability of " << evidence.target
            << " among all classes: " << figure(evidence.probability, 6) << " · completeness error "
            << figure(evidence.completeness_error, 2) << "\n";
}

Row to_json(const Inspection& inspection, size_t run, const Inspection::Evidence& evidence) {
  Row circuits = Row::array();
  for (const auto& c : evidence.circuits) {
    circuits.push_back({{"label", c.label}, {"key", c.key}, {"evidence", c.evidence}, {"odds", std::exp(c.evidence)}});
  }
  return {{"step", inspection.step()},
          {"run", run},
          {"label", inspection.label(run)},
          {"question", evidence.question},
          {"target", evidence.target},
          {"runner_up", evidence.runner_up},
          {"margin", evidence.margin},
          {"sum", evidence.sum},
          {"probability", evidence.probability},
          {"completeness_error", evidence.completeness_error},
          {"circuits", circuits}};
}

void inspect(const Arguments& arguments) {
  const Inspection inspection(RunDirectory::open(arguments.directory), arguments.step);
  const auto runs = static_cast<int64_t>(inspection.run_count());
  if (arguments.run >= runs) {
    throw Error("--run " + std::to_string(arguments.run) + ": the pack has runs 0 to " + std::to_string(runs - 1));
  }
  const size_t run = arguments.run < 0 ? 0 : static_cast<size_t>(arguments.run);
  if (!arguments.input.empty()) {
    const auto evidence = inspection.evidence(run, parse_input(arguments.input));
    if (arguments.json) {
      std::cout << to_json(inspection, run, evidence).dump(1) << "\n";
    } else {
      print_evidence(inspection, run, evidence);
    }
    return;
  }
  std::vector<Row> rows;
  for (int64_t r = 0; r < runs; ++r) {
    if (arguments.run < 0 || arguments.run == r) rows.push_back(inspection.summary(static_cast<size_t>(r)));
  }
  if (arguments.json) {
    std::cout << Row(rows).dump(1) << "\n";
    return;
  }
  print_overview(inspection, rows);
  if (arguments.run >= 0 || runs == 1) print_circuits(rows.front(), inspection.circuit_labels(run));
}

}  // namespace

void add_inspect(CLI::App& app) {
  auto* command = app.add_subcommand("inspect", "Show the circuits of a trained run, or their evidence on one input");
  auto arguments = std::make_shared<Arguments>();
  command->add_option("RUN", arguments->directory, "Run directory")->required();
  command->add_option("--step", arguments->step, "Checkpoint to look at (default: the newest)")
      ->check(CLI::NonNegativeNumber);
  command->add_option("--run", arguments->run, "Run of the pack (default: all; 0 with --input)")
      ->check(CLI::NonNegativeNumber);
  command->add_option("--input", arguments->input, "One input, such as 17,45: each circuit's evidence on it");
  command->add_flag("--json", arguments->json, "Print JSON for programs");
  command->callback([arguments] { inspect(*arguments); });
}

}  // namespace logodds
