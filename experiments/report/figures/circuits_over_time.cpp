#include <algorithm>
#include <cmath>
#include <map>

#include "experiments/report/figures/figures.h"

namespace logodds {

namespace {

constexpr size_t kShown = 7;

/// A vector column of a run's logit_decomposition, circuit by circuit; a circuit that is there at some observations
/// only (clusters form and dissolve) has points at those.
std::map<std::string, Points> by_circuit(const std::vector<Row>& rows, const std::string& column) {
  std::map<std::string, Points> curves;
  for (const auto& row : rows) {
    const auto values = row.find("logit_decomposition." + column);
    if (values == row.end()) continue;
    const auto labels = row.find("logit_decomposition.labels");
    for (size_t p = 0; p < values->size(); ++p) {
      const std::string label =
          labels != row.end() && p < labels->size() ? (*labels)[p].get<std::string>() : "κ=" + std::to_string(p + 1);
      const Row& value = (*values)[p];
      curves[label].emplace_back(row.value("step", 0.0), value.is_number() ? value.get<double>() : std::nan(""));
    }
  }
  return curves;
}

/// The circuits with the largest shares of energy at any time, largest first.
std::vector<std::string> largest(const std::map<std::string, Points>& energy) {
  std::vector<std::pair<double, std::string>> peaks;
  for (const auto& [label, points] : energy) {
    double peak = 0;
    for (const auto& [step, value] : points) peak = std::max(peak, std::isnan(value) ? 0 : std::abs(value));
    peaks.emplace_back(-peak, label);
  }
  std::ranges::sort(peaks);
  std::vector<std::string> labels;
  for (size_t i = 0; i < std::min(kShown, peaks.size()); ++i) labels.push_back(peaks[i].second);
  return labels;
}

}  // namespace

Figures circuits_over_time(const Material& material) {
  const std::string energy = "energy_share", margin = "margin";
  if (!material.has("logit_decomposition." + energy)) return {};
  ReportFigure figure{
      .id = "circuits",
      .title = "Circuits over time",
      .caption =
          "The circuits with the largest shares of the logits' energy at any time, in colour; all "
          "others grey.",
      .formula =
          "energy of circuit g = ⟨f_g, f⟩ / ⟨f, f⟩;  margin = mean of f_g[right answer] − f_g[runner-up of "
          "the whole network]"};
  Row energies = Row::array(), margins = Row::array();
  for (size_t c = 0; c < material.chosen().size(); ++c) {
    const auto& rows = material.runs()[material.chosen()[c]].rows;
    const auto share = by_circuit(rows, energy), nats = by_circuit(rows, margin);
    const auto shown = largest(share);
    const auto look = [&](const std::string& label) {
      const auto place = std::ranges::find(shown, label) - shown.begin();
      const bool coloured = place < static_cast<int64_t>(shown.size());
      return Look{coloured ? label : "others", label, coloured ? static_cast<int>(place) : -1, "solid", {c}};
    };
    const auto draw = [&](const std::map<std::string, Points>& curves, Row& series) {
      for (const bool grey : {true, false}) {  // grey ones first, below the others
        for (const auto& [label, points] : curves) {
          if ((look(label).colour < 0) == grey) series.push_back(line(look(label), thinned(points)));
        }
      }
    };
    draw(share, energies);
    draw(nats, margins);
  }
  figure.controls.push_back(control("run", material.chosen_labels()));
  figure.panels.push_back(step_panel("energy share", false, std::move(energies)));
  figure.panels.push_back(step_panel("margin, nats", false, std::move(margins)));
  material.put_csv(figure, material.chosen(),
                   {"logit_decomposition.labels", "logit_decomposition." + energy, "logit_decomposition." + margin});
  return {std::move(figure)};
}

}  // namespace logodds
