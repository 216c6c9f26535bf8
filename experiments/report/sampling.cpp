#include "experiments/report/sampling.h"

#include <algorithm>
#include <cmath>
#include <iostream>
#include <map>
#include <vector>

#include "experiments/report/plot.h"
#include "experiments/report/table.h"

namespace logodds {

namespace {

std::string heading_text(const Row& row) {
  const Row& step = row.at("step");
  return "Run " + row.at("run").dump() + " (" + row.at("label").get<std::string>() + ")" +
         (step.is_null() ? "" : ", step " + step.dump()) + ": " + row.at("examples").dump() + " examples, " +
         row.at("parameters").dump() + " weights, " +
         (row.contains("nbeta") ? "nβ = " + figure(number(row, "nbeta")) + ", " : "") +
         "γ = " + figure(number(row, "localisation")) + ", L(w0) = " + figure(number(row, "init_loss")) + "\n";
}

/// What each curve's letter stands for.
std::string legend(const std::vector<Curve>& curves) {
  std::string text;
  for (size_t i = 0; i < curves.size(); ++i) {
    text += std::string(11, ' ') + static_cast<char>('A' + i % 26) + "  " + curves[i].label + "\n";
  }
  return text;
}

/// A refusal up to its colon: "the chains have not mixed"; empty where there is none.
std::string in_short(const Row& refused) {
  if (refused.empty()) return "";
  const auto reason = refused.front().get<std::string>();
  return reason.substr(0, reason.find(':'));
}

/// Mean loss over the chains, at each step.
Curve mean_trace(const Row& row) {
  Curve curve{"mean loss of the chains", {}};
  for (const char* part : {"loss/burn_in", "loss/trace"}) {
    const auto chains = row.at(part).get<std::vector<std::vector<double>>>();
    for (size_t i = 0; i < chains.front().size(); ++i) {
      double sum = 0;
      for (const auto& chain : chains) sum += chain[i];
      curve.points.emplace_back(static_cast<double>(curve.points.size()), sum / static_cast<double>(chains.size()));
    }
  }
  return curve;
}

}  // namespace

void print_coefficient(const Row& row) {
  std::cout << heading_text(row) << plot("mean loss of the chains against burn-in and draws", {mean_trace(row)}, true);
  const Row& refused = row.at("refused");
  Table table({"λ̂", "standard error", "R̂", "ESS bulk", "ESS tail", "acceptance", "‖w - w0‖ first", "last"});
  table.add({refused.empty() ? figure(number(row, "llc/mean"), 5) : "refused",
             figure(number(row, "llc/standard_error")), figure(number(row, "r_hat")), figure(number(row, "ess_bulk")),
             figure(number(row, "ess_tail")), row.at("acceptance").is_null() ? "−" : percent(number(row, "acceptance")),
             figure(number(row, "distance/first")), figure(number(row, "distance/last"))});
  std::cout << "\n" << table.text();
  for (const auto& reason : refused) std::cout << "refused: " << reason.get<std::string>() << "\n";
  std::cout << std::flush;
}

void print_checkpoints(const Row& rows) {
  Table table({"run", "step", "L(w0)", "λ̂", "standard error", "R̂", "refused"});
  std::vector<Curve> curves;
  for (const auto& row : rows) {
    const std::string run = row.at("directory").get<std::string>() + " " + row.at("label").get<std::string>();
    auto curve = std::ranges::find(curves, run, &Curve::label);
    if (curve == curves.end()) curve = curves.insert(curve, {run, {}});
    curve->points.emplace_back(number(row, "step"), number(row, "llc/mean"));
    table.add({run, row.at("step").dump(), figure(number(row, "init_loss")), figure(number(row, "llc/mean")),
               figure(number(row, "llc/standard_error")), figure(number(row, "r_hat")), in_short(row.at("refused"))});
  }
  std::cout << table.text() << "\n" << plot("λ̂ against step", curves, false) << legend(curves) << std::flush;
}

void print_calibration(const Row& row) {
  std::cout << heading_text(row);
  Table table({"ε", "γ", "nβ", "λ̂", "standard error", "R̂", "refused"});
  std::vector<Curve> curves;
  std::map<std::string, std::string> reasons;  // one of each kind, in full
  for (const auto& point : row.at("points")) {
    const auto& refused = point.at("refused");
    const std::string label =
        "γ = " + figure(number(point, "localisation")) + ", nβ = " + figure(number(point, "nbeta"));
    table.add({figure(number(point, "step_size")), figure(number(point, "localisation")),
               figure(number(point, "nbeta")), figure(number(point, "llc/mean")),
               figure(number(point, "llc/standard_error")), figure(number(point, "r_hat")), in_short(refused)});
    if (!refused.empty()) reasons.emplace(in_short(refused), refused.front().get<std::string>());
    if (curves.empty() || curves.back().label != label) curves.push_back({label, {}});
    curves.back().points.emplace_back(number(point, "step_size"), number(point, "llc/mean"));
  }
  std::cout << table.text();
  for (const auto& [kind, reason] : reasons) std::cout << "refused, for example: " << reason << "\n";
  std::cout << "\n"
            << plot("λ̂ against ε, both logarithmic: look for the plateau", curves, true, true) << legend(curves);
  const Row& suggestion = row.at("suggestion");
  std::cout << (suggestion.is_null() ? "no ε of the grid lies on a plateau: look at the reasons above\n"
                                     : "the plateau at these γ and nβ reaches up to sampler.step_size=" +
                                           figure(suggestion.get<double>()) + "\n")
            << std::flush;
}

void print_spectrum(const Row& row) {
  std::cout << heading_text(row);
  Table table({"nβ", "U = E[L]", "±", "C", "±", "λ̂", "±", "R̂", "accepted", "exchanged"});
  Curve energy{"U, mean energy", {}}, capacity{"C, heat capacity", {}}, coefficient{"λ̂", {}};
  for (const auto& point : row.at("points")) {
    const auto cell = [&](const char* key) { return figure(number(point, key)); };
    table.add({cell("nbeta"), cell("energy"), figure(number(point, "energy_error"), 2), cell("heat_capacity"),
               figure(number(point, "heat_capacity_error"), 2), cell("coefficient"),
               figure(number(point, "coefficient_error"), 2), cell("r_hat"), percent(number(point, "acceptance")),
               std::isnan(number(point, "exchange_rate")) ? "−" : percent(number(point, "exchange_rate"))});
    const double x = number(point, "nbeta");
    energy.points.emplace_back(x, number(point, "energy"));
    capacity.points.emplace_back(x, number(point, "heat_capacity"));
    coefficient.points.emplace_back(x, number(point, "coefficient"));
  }
  // Each level is a line through the plot of the energies, under its own letter.
  std::vector<Curve> curves;
  Table levels({"level", "loss, nats", "random model", "U crosses it at nβ"});
  for (const auto& level : row.at("levels")) {
    levels.add({level.at("label"), figure(number(level, "loss")), figure(number(level, "random_model_loss")),
                figure(number(level, "nbeta"))});
    Curve line{level.at("label"), {}};
    for (const auto& point : energy.points) line.points.emplace_back(point.first, number(level, "loss"));
    curves.push_back(std::move(line));
  }
  curves.push_back(energy);
  std::cout << table.text();
  for (const auto& note : row.at("notes")) std::cout << note.get<std::string>() << "\n";
  std::cout << "\n"
            << levels.text() << "\n"
            << plot("U against nβ, both logarithmic, and the levels", curves, true, true) << legend(curves)
            << plot("C (A) and λ̂ (B) against nβ (logarithmic)", {capacity, coefficient}, false, true) << std::flush;
}

}  // namespace logodds
