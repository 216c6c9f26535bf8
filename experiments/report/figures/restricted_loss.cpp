#include "experiments/report/figures/figures.h"

namespace logodds {

Figures restricted_loss(const Material& material) {
  struct Curve {
    const char *column, *name, *style;
    int colour;
  };
  const std::vector<Curve> curves{
      {"_loss", "whole network", "solid", 6},
      {"logit_decomposition.restricted_loss_", "restricted: key circuits alone", "solid", 0},
      {"logit_decomposition.excluded_loss_", "excluded: without them", "solid", 1},
      {"logit_decomposition.cosine_loss_", "their cosines alone", "dash", 2}};
  if (!material.has("logit_decomposition.restricted_loss_train")) return {};
  ReportFigure figure{
      .id = "restricted_loss",
      .title = "Loss of the key circuits alone, and without them",
      .caption = "Above on the test set, below on the training set.",
      .formula = "restricted: L(Σ_key f_g);  excluded: L(f − Σ_key f_g);  cosines: L(Σ_key A_κ cos 2πκ(y−c)/p)"};
  std::vector<std::string> columns;
  for (const std::string set : {"test", "train"}) {
    Row series = Row::array();
    for (const auto& curve : curves) {
      const std::string prefix = curve.column, name = prefix == "_loss" ? set + prefix : prefix + set;
      if (!material.has(name)) continue;
      columns.push_back(name);
      for (size_t c = 0; c < material.chosen().size(); ++c) {
        const Points points = material.column(material.chosen()[c], name);
        if (points.empty()) continue;
        series.push_back(line({curve.name, curve.name, curve.colour, curve.style, {c}}, thinned(points)));
      }
    }
    if (!series.empty()) figure.panels.push_back(step_panel(set + " loss, nats", true, std::move(series)));
  }
  figure.controls.push_back(control("run", material.chosen_labels()));
  material.put_csv(figure, material.chosen(), columns);
  return {std::move(figure)};
}

}  // namespace logodds
