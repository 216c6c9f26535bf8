#include "experiments/report/figures/figures.h"

namespace logodds {

Figures weight_norms(const Material& material) {
  const std::string total = "weight_norms.total";
  if (!material.has(total)) return {};
  ReportFigure figure{.id = "weight_norms",
                      .title = "Weight norms",
                      .caption = "Above all weights of every run, below each tensor of the chosen one.",
                      .formula = "‖w‖ = √Σ w²"};
  Row all = Row::array(), tensors = Row::array();
  for (const size_t r : material.all()) all.push_back(line(material.look(r), thinned(material.column(r, total))));
  std::vector<std::string> columns{total};
  for (const auto& name : material.scalar_columns()) {
    if (name.starts_with("weight_norms.") && name != total) columns.push_back(name);
  }
  for (size_t c = 0; c < material.chosen().size(); ++c) {
    for (size_t i = 1; i < columns.size(); ++i) {
      const Points points = material.column(material.chosen()[c], columns[i]);
      const std::string tensor = columns[i].substr(std::string("weight_norms.").size());
      if (!points.empty())
        tensors.push_back(line({tensor, tensor, static_cast<int>(i - 1), "solid", {c}}, thinned(points)));
    }
  }
  figure.panels.push_back(step_panel("‖w‖", true, std::move(all)));
  if (!tensors.empty()) {
    figure.controls.push_back(control("run", material.chosen_labels()));
    Row panel = step_panel("‖tensor‖", true, std::move(tensors));
    panel["own_legend"] = true;
    figure.panels.push_back(std::move(panel));
  }
  material.put_csv(figure, material.all(), columns);
  return {std::move(figure)};
}

}  // namespace logodds
