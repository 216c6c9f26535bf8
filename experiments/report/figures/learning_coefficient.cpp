#include "experiments/report/figures/figures.h"

namespace logodds {

Figures learning_coefficient(const Material& material) {
  const std::string mean = "learning_coefficient.mean", estimate = "learning_coefficient.estimate";
  if (!material.has(estimate)) return {};
  ReportFigure figure{.id = "learning_coefficient",
                      .title = "Learning coefficient",
                      .caption = "Dotted: every estimate; solid: those that stand. Below, the test loss.",
                      .formula = "λ̂ = nβ (E[L] - L(w0)), E over chains around the weights of the moment"};
  Row coefficients = Row::array(), losses = Row::array();
  for (const size_t r : material.all()) {
    for (const auto& [column, style] : {std::pair(estimate, "dot"), std::pair(mean, "solid")}) {
      const Points points = material.column(r, column);
      if (!points.empty()) coefficients.push_back(line(material.look(r, style), thinned(points)));
    }
    const Points loss = material.column(r, "test_loss");
    if (!loss.empty()) losses.push_back(line(material.look(r), thinned(loss)));
  }
  figure.panels.push_back(step_panel("λ̂", false, std::move(coefficients)));
  if (!losses.empty()) figure.panels.push_back(step_panel("test loss, nats", true, std::move(losses)));
  material.put_csv(
      figure, material.all(),
      {mean, "learning_coefficient.standard_error", estimate, "learning_coefficient.refusals", "test_loss"});
  return {std::move(figure)};
}

}  // namespace logodds
