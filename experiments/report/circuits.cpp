#include "experiments/report/circuits.h"

#include <unistd.h>

#include <iostream>

#include "experiments/report/picture.h"
#include "experiments/report/table.h"

namespace logodds {

namespace {

std::string heading(const Row& row) {
  const std::string run = "Run " + row.at("run").dump() + " (" + row.at("label").get<std::string>() + ")";
  return row.at("step").is_null() ? run : run + ", step " + row.at("step").dump();
}

void print_sets(const Row& report) {
  Table table({"examples", "number", "loss", "accuracy", "mean margin", "s*", "gap L(1)-L(s*)", "ECE", "restricted",
               "excluded"});
  for (const auto& [set, figures] : report.at("sets").items()) {
    table.add({set, figures.at("examples").dump(), figure(number(figures, "loss")),
               percent(number(figures, "accuracy")), signed_figure(number(figures.at("margin"), "mean")),
               figure(number(figures, "s_star")), figure(number(figures, "calibration_gap")),
               figure(number(figures, "calibration_error")), figure(number(report.at("restricted").at(set), "loss")),
               figure(number(report.at("excluded").at(set), "loss"))});
  }
  std::cout << table.text() << "restricted, excluded: loss with the key circuits alone, and without them\n";
}

double in(const Row& figures, const std::string& key, const std::string& set) {
  return figures.contains(key) ? number(figures.at(key).at(set), "loss") : std::nan("");
}

void print_key_circuits(const Row& report) {
  const auto set = report.at("evidence_set").get<std::string>();
  Table table({"circuit", "energy", "mean margin", "5 % … 95 %", "as odds", "loss alone", "loss without", "own scale"});
  double energy = 0, margin = 0;
  size_t others = 0;
  std::vector<std::string> keys = report.at("key_circuits");
  for (const auto& circuit : report.at("circuits")) {
    if (circuit.at("key").get<bool>()) continue;
    ++others, energy += number(circuit, "energy_share"), margin += number(circuit.at("margin"), "mean");
  }
  double total = margin;
  for (size_t i = 0; i < keys.size(); ++i) {
    for (const auto& circuit : report.at("circuits")) {
      if (circuit.at("label") != keys[i]) continue;
      const double mean = number(circuit.at("margin"), "mean");
      const auto& levels = circuit.at("margin").at("quantiles");
      const auto& scales = report.at("calibration").at("own_scale");
      total += mean;
      table.add({keys[i] + (circuit.contains("neurons") && circuit.at("neurons") != 0
                                ? ", " + circuit.at("neurons").dump() + " neurons"
                                : ""),
                 percent(number(circuit, "energy_share")), signed_figure(mean),
                 signed_figure(levels[2].get<double>(), 3) + " … " + signed_figure(levels[6].get<double>(), 3),
                 odds(mean), figure(in(circuit, "alone", set)), figure(in(circuit, "without", set)),
                 i < scales.size() && scales[i].is_number() ? figure(scales[i].get<double>()) : "–"});
    }
  }
  if (others > 0)
    table.add(
        {std::to_string(others) + " others", percent(energy), signed_figure(margin), "", odds(margin), "", "", ""});
  table.rule();
  table.add({"sum", "", signed_figure(total), "", odds(total), "", "", ""});
  std::cout << "\nCircuits by " << report.at("decomposition").get<std::string>()
            << ", largest first; margin: nats for the right answer against the runner-up; losses on '" << set << "'\n"
            << table.text() << "completeness error " << figure(number(report, "completeness_error"), 2) << "\n";
}

void print_characters(const Row& report) {
  if (!report.contains("characters")) return;
  const auto set = report.at("evidence_set").get<std::string>();
  std::cout << "Loss of the key characters alone " << figure(in(report, "characters", set))
            << ", without the key irreps "
            << "in the last hidden layer " << figure(in(report, "excluded_hidden", set)) << "\n";
}

void print_kept(const Row& report) {
  if (!report.contains("kept")) return;
  Table table({"with " + std::to_string(report.at("kept").at("circuits").size()) + " of " +
                   std::to_string(report.at("circuits").size()) + " circuits",
               "loss", "accuracy"});
  for (const auto& [set, figures] : report.at("kept").at("sets").items()) {
    table.add({set, figure(number(figures, "loss")), percent(number(figures, "accuracy"))});
  }
  std::cout << "\n" << table.text();
}

void print_together(const Row& report) {
  if (!report.contains("loss_curve")) return;
  const auto &curve = report.at("loss_curve"), &ablation = report.at("ablation"), &together = report.at("independence");
  std::cout << "\nLoss with the k largest circuits:";
  for (const auto& loss : curve.at("loss")) std::cout << " " << figure(loss.get<double>(), 3);
  std::cout << "\nslope of ln L per circuit " << figure(number(curve, "slope"), 3) << " ["
            << figure(curve.at("slope_interval")[0].get<double>(), 3) << ", "
            << figure(curve.at("slope_interval")[1].get<double>(), 3) << "]\n";
  if (curve.contains("random_model_loss")) {
    std::cout << "a random model with these amplitudes:";
    for (const auto& loss : curve.at("random_model_loss")) std::cout << " " << figure(loss.get<double>(), 3);
    std::cout << "\n";
  }
  std::cout << "Ablation of all subsets: R² additive in accuracy " << figure(number(ablation, "accuracy_r_squared"), 3)
            << ", additive in ln L " << figure(number(ablation, "log_loss_r_squared"), 3) << "\n"
            << "Given the label: total correlation " << figure(number(together, "total_correlation"), 3)
            << " nats; held-out loss of the sum " << figure(number(together, "additivity_sum_loss"), 3)
            << ", of a network over the circuits " << figure(number(together, "additivity_fitted_loss"), 3) << "\n";
}

void print_measures(const Row& report) {
  if (report.at("measures").is_null()) return;
  Table table({"measure", "value"});
  for (const auto& [name, value] : report.at("measures").items()) {
    if (value.is_number()) table.add({name, figure(value.get<double>())});
  }
  std::cout << "\n" << table.text();
}

void print_crossing(const Row& report) {
  if (!report.contains("cross")) return;
  const auto& cross = report.at("cross");
  const bool energy = !cross.at("energy").is_null();
  const auto& matrix = cross.at(energy ? "energy" : "overlap");
  std::vector<std::string> rows = cross.at("rows"), columns = cross.at("columns");
  const auto largest = [&](size_t column) {
    double value = 0;
    for (const auto& row : matrix) value = std::max(value, std::abs(row[column].get<double>()));
    return value;
  };
  std::vector<size_t> shown;
  for (size_t column = 0; column < columns.size(); ++column) {
    if (largest(column) >= 0.005) shown.push_back(column);
  }
  std::vector<std::string> header{energy ? "energy" : "overlap"};
  for (const size_t column : shown) header.push_back(columns[column]);
  header.emplace_back("others");
  Table table(header);
  for (size_t i = 0; i < rows.size(); ++i) {
    std::vector<std::string> cells{rows[i]};
    double others = 0;
    for (const auto& value : matrix[i]) others += value.get<double>();
    for (const size_t column : shown) {
      cells.push_back(percent(matrix[i][column].get<double>()));
      others -= matrix[i][column].get<double>();
    }
    cells.push_back(percent(others));
    table.add(cells);
  }
  std::cout << "\nEach part's " << (energy ? "energy in" : "overlap with")
            << " the parts of the other decomposition, of the logits' energy\n"
            << table.text();
}

void print_directions(const Row& report) {
  if (!report.contains("ablation_directions")) return;
  const auto set = report.at("evidence_set").get<std::string>();
  Table table({"direction", "curvature", "loss without", "accuracy without"});
  for (const auto& direction : report.at("ablation_directions")) {
    const auto& without = direction.at("without").at(set);
    table.add({std::to_string(&direction - &report.at("ablation_directions")[0] + 1),
               figure(number(direction, "eigenvalue")), figure(number(without, "loss")),
               percent(number(without, "accuracy"))});
  }
  std::cout
      << "\nDirections of the last hidden layer in which the loss is most curved (Gauss–Newton), each replaced by "
         "its mean; on '"
      << set << "'\n"
      << table.text();
}

}  // namespace

void print_circuit_report(const Row& report) {
  std::cout << heading(report) << "\n\n";
  print_sets(report);
  print_key_circuits(report);
  print_characters(report);
  print_kept(report);
  print_together(report);
  print_measures(report);
  print_crossing(report);
  print_directions(report);
}

void print_evidence(const Row& evidence) {
  const std::string target = evidence.at("target").dump();
  std::cout << heading(evidence) << ": " << evidence.at("question").get<std::string>() << " = " << target
            << "\nEvidence of each circuit for " << target << " against the runner-up " << evidence.at("runner_up")
            << "\n\n";
  Table table({"circuit", "nats", "odds", "product so far"});
  double running = 0, rest = 0;
  size_t others = 0;
  for (const auto& circuit : evidence.at("circuits")) {
    const double nats = number(circuit, "evidence");
    if (!circuit.at("key").get<bool>()) {
      rest += nats;
      ++others;
      continue;
    }
    running += nats;
    table.add({circuit.at("label"), signed_figure(nats), odds(nats), odds(running)});
  }
  running += rest;
  if (others > 0) table.add({std::to_string(others) + " others", signed_figure(rest), odds(rest), odds(running)});
  table.rule();
  table.add({"sum", signed_figure(number(evidence, "sum")), odds(number(evidence, "sum")), ""});
  table.add({"model's own logits", signed_figure(number(evidence, "margin")), odds(number(evidence, "margin")), ""});
  std::cout << table.text() << "probability of " << target
            << " among all classes: " << figure(number(evidence, "probability"), 6) << " · completeness error "
            << figure(number(evidence, "completeness_error"), 2) << "\nThese circuits answer " << evidence.at("answer")
            << " with probability " << figure(number(evidence, "answer_probability"), 6) << "\n";
  if (evidence.contains("picture"))
    std::cout << "\n" << picture_text(evidence.at("picture"), ::isatty(STDOUT_FILENO) == 1);
}

}  // namespace logodds
