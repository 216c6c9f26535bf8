#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <memory>

#include "core/error.h"
#include "core/json.h"
#include "core/read_fields.h"
#include "core/text.h"
#include "experiments/circuit_report.h"
#include "experiments/commands/commands.h"
#include "experiments/inspection.h"
#include "experiments/picture.h"
#include "experiments/report/circuits.h"
#include "experiments/report/table.h"
#include "experiments/report/theory.h"
#include "experiments/theory.h"

namespace logodds {

namespace {

struct Arguments {
  std::string directory;
  std::string weights, config, split;
  std::string circuits, cross, drop, keep;
  int64_t step = -1;
  int64_t run = -1;
  int64_t examples = 0;
  int64_t directions = 0;
  std::string input;
  bool json = false;
};

double scale(const Row& row, const std::string& set) { return number(row, "logit_bloat.s_star_" + set); }

std::string key_circuits_text(const Row& row) {
  constexpr size_t kShown = 4;
  const bool frequencies = row.contains("logit_decomposition.key_frequencies");
  std::vector<std::string> names;
  for (const auto& circuit :
       row.at(frequencies ? "logit_decomposition.key_frequencies" : "logit_decomposition.key_circuits")) {
    names.push_back(circuit.is_string() ? circuit.get<std::string>() : circuit.dump());
  }
  if (names.empty()) return "none";
  if (frequencies || names.size() <= kShown) return join(names, frequencies ? " " : ", ");
  const size_t others = names.size() - kShown;
  names.resize(kShown);
  return join(names) + " and " + std::to_string(others) + " more";
}

/// All runs side by side: what they reached, their circuits and their bloat.
void print_overview(const Inspection& inspection, const std::vector<Row>& rows) {
  std::printf("Step %lld\n\n", static_cast<long long>(inspection.step().value_or(0)));
  Table results({"run", "train loss", "test loss", "train acc.", "test acc.", "‖w‖"});
  Table circuits({"run", "share of key circuits", "restricted loss", "excluded loss", "key circuits"});
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
            << "\nCircuits: the logits split by the run's decomposition (README: circuits); test losses with\n"
            << "the key circuits alone (restricted) and without them (excluded), nats\n"
            << circuits.text()
            << "\nBloat: s* is the factor on the logits that would lower the loss most; ∞ means that scaling up\n"
            << "always helps, because every example is right; 1 is calibrated\n"
            << bloat.text();
}

/// One run's circuits, largest first.
void print_circuits(const Row& row, const std::vector<std::string>& labels) {
  const auto column = [&](const char* name) {
    return row.value(std::string("logit_decomposition.") + name, std::vector<double>(labels.size(), std::nan("")));
  };
  const bool cosines = row.contains("logit_decomposition.cosine_fve"),
             characters = row.contains("logit_decomposition.character_fve"), templates = cosines || characters;
  const auto energy = column("energy_share"), margin = column("margin"),
             coefficient = column(characters ? "character_coefficient" : "cosine_coefficient"),
             fve = column(characters ? "character_fve" : "cosine_fve");
  std::vector<size_t> order(labels.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::stable_sort(order, [&](size_t a, size_t b) { return energy[a] > energy[b]; });
  constexpr size_t kShown = 12;
  const auto cells = [&](const std::string& label, const std::string& share, const std::string& amplitude,
                         const std::string& explained, const std::string& nats, const std::string& as_odds) {
    return templates ? std::vector{label, share, amplitude, explained, nats, as_odds}
                     : std::vector{label, share, nats, as_odds};
  };
  Table table(cells("circuit", "energy", characters ? "A of χ(y/c)/χ(1)" : "A of cos w(y-c)",
                    characters ? "character FVE" : "cosine FVE", "mean margin, nats", "as odds"));
  double rest_energy = 0, rest_fve = 0, rest_margin = 0, total_margin = 0;
  for (size_t i = 0; i < order.size(); ++i) {
    const size_t p = order[i];
    total_margin += margin[p];
    if (i < kShown) {
      table.add(cells(labels[p], percent(energy[p]), signed_figure(coefficient[p]), percent(fve[p]),
                      signed_figure(margin[p]), odds(margin[p])));
    } else {
      rest_energy += energy[p], rest_fve += fve[p], rest_margin += margin[p];
    }
  }
  if (order.size() > kShown) {
    table.add(cells(std::to_string(order.size() - kShown) + " others", percent(rest_energy), "", percent(rest_fve),
                    signed_figure(rest_margin), odds(rest_margin)));
  }
  table.rule();
  table.add(cells("sum", "", "", "", signed_figure(total_margin), odds(total_margin)));
  std::cout << "\nCircuits of run " << row.at("run") << " (" << row.at("label").get<std::string>()
            << "), largest first; margin: evidence for the right answer\nagainst the runner-up\n"
            << table.text() << "completeness error max|f - Σ f_g| / max|f|: "
            << figure(number(row, "logit_decomposition.completeness_error"), 2) << "\n";
}

std::vector<std::string> parse_labels(const std::string& text) {
  std::vector<std::string> labels;
  std::stringstream words(text);
  for (std::string word; std::getline(words, word, ',');) {
    const size_t first = word.find_first_not_of(' '), last = word.find_last_not_of(' ');
    if (first == std::string::npos) throw Error("'" + text + "' has an empty name of a circuit");
    labels.push_back(word.substr(first, last - first + 1));
  }
  return labels;
}

/// "neuron_clusters" or "{kind: neuron_clusters, threshold: 0.8}".
Selection parse_decomposition(const std::string& option, const std::string& text) {
  Node root = parse_yaml("", "");
  apply_override(root, option + "=" + text);
  Selection selection(decompositions());
  Problems problems;
  ReadFields reader(root, problems);
  reader.component({option.c_str(), ""}, selection);
  problems.throw_if_any();
  return selection;
}

CircuitQuestion question_of(const Arguments& arguments, const Inspection& inspection) {
  CircuitQuestion question{.circuits = inspection.decomposition().basis,
                           .cross = std::nullopt,
                           .drop = parse_labels(arguments.drop),
                           .keep = parse_labels(arguments.keep),
                           .key_share = inspection.decomposition().key_fve,
                           .directions = arguments.directions};
  if (!arguments.circuits.empty()) question.circuits = parse_decomposition("circuits", arguments.circuits);
  if (!arguments.cross.empty()) question.cross = parse_decomposition("cross", arguments.cross);
  return question;
}

/// The circuits of one run, or their evidence on one input.
void inspect_circuits(const Arguments& arguments, const Inspection& inspection, size_t run) {
  const auto input = parse_input(arguments.input);
  std::vector<int64_t> examples;  // none or one
  if (!input.empty()) examples.push_back(inspection.find(input));
  const auto most = arguments.examples > 0 ? std::optional(arguments.examples) : std::nullopt;
  const Subject subject = inspection.subject(run, most, examples);
  const CircuitQuestion question = question_of(arguments, inspection);
  const CircuitReport report(subject, question);
  Row row{{"step", inspection.step() ? Row(*inspection.step()) : Row(nullptr)},
          {"run", run},
          {"label", inspection.label(run)}};
  if (!examples.empty()) {
    const int64_t position = subject.position(examples[0]);
    row["question"] = inspection.describe(input);
    row.update(report.on_example(position));
    if (const auto seen = picture(subject, position, question.circuits)) row["picture"] = *seen;
  } else {
    row.update(report.figures());
  }
  if (arguments.json) {
    std::cout << to_json(row) << "\n";
  } else if (arguments.input.empty()) {
    print_circuit_report(row);
  } else {
    print_evidence(row);
  }
}

Inspection open(const Arguments& arguments) {
  if (arguments.weights.empty()) return Inspection(RunDirectory::open(arguments.directory), arguments.step);
  return Inspection(arguments.weights, Experiment::from_file(arguments.config), arguments.split);
}

void inspect(const Arguments& arguments) {
  if (arguments.directory.empty() == arguments.weights.empty())
    throw Error("inspect needs a run directory, or --weights FILE with --config FILE");
  const Inspection inspection = open(arguments);
  const auto runs = static_cast<int64_t>(inspection.run_count());
  if (arguments.run >= runs) {
    throw Error("--run " + std::to_string(arguments.run) + ": the pack has runs 0 to " + std::to_string(runs - 1));
  }
  const size_t run = arguments.run < 0 ? 0 : static_cast<size_t>(arguments.run);
  const bool overview = arguments.weights.empty() && arguments.input.empty() && arguments.circuits.empty() &&
                        arguments.cross.empty() && arguments.drop.empty() && arguments.keep.empty() &&
                        arguments.examples == 0 && arguments.directions == 0;
  if (!overview) return inspect_circuits(arguments, inspection, run);
  std::vector<Row> rows;
  for (int64_t r = 0; r < runs; ++r) {
    if (arguments.run < 0 || arguments.run == r) rows.push_back(inspection.summary(static_cast<size_t>(r)));
  }
  for (auto& row : rows) {
    if (const auto learnt = learnt_row(inspection, row.at("run"))) row["learnt"] = *learnt;
  }
  if (arguments.json) {
    std::cout << to_json(Row(rows)) << "\n";
    return;
  }
  print_overview(inspection, rows);
  print_learnt(rows);
  if (arguments.run >= 0 || runs == 1) print_circuits(rows.front(), inspection.circuit_labels(run));
}

}  // namespace

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

void add_inspect(CLI::App& app) {
  auto* command =
      app.add_subcommand("inspect", "Show the circuits of a trained run or of weights, or their evidence on one input");
  auto arguments = std::make_shared<Arguments>();
  command->add_option("RUN", arguments->directory, "Run directory");
  command->add_option("--step", arguments->step, "Checkpoint to look at (default: the newest)")
      ->check(CLI::NonNegativeNumber);
  command->add_option("--run", arguments->run, "Run of the pack (default: all; 0 with --input)")
      ->check(CLI::NonNegativeNumber);
  command->add_option("--input", arguments->input,
                      "One input, such as 17,45, or an image's number: each circuit's evidence on it");
  command->add_option("--examples", arguments->examples, "At most so many of training and test set (default: all)")
      ->check(CLI::PositiveNumber);
  command
      ->add_option("--directions", arguments->directions,
                   "So many Gauss–Newton ablation directions of the last hidden layer as well")
      ->check(CLI::PositiveNumber);
  command->add_option("--circuits", arguments->circuits,
                      "Decomposition (logodds list circuits): its circuits and their evidence");
  command->add_option("--cross", arguments->cross, "Second decomposition to hold the first against");
  auto* drop = command->add_option("--drop", arguments->drop, "Circuits to take out, such as κ=14,κ=35");
  command->add_option("--keep", arguments->keep, "The only circuits to leave in")->excludes(drop);
  auto* config = command->add_option("--config", arguments->config, "Task and model of --weights");
  auto* weights = command->add_option("--weights", arguments->weights, "Weights trained elsewhere, a safetensors file");
  weights->needs(config);
  config->needs(weights);
  command
      ->add_option("--split", arguments->split, "Text file of the training inputs of --weights, such as 17,45 per line")
      ->needs(weights);
  command->add_flag("--json", arguments->json, "Print JSON for programs");
  command->callback([arguments] { inspect(*arguments); });
}

}  // namespace logodds
