#include "experiments/report/figures/figures.h"

namespace logodds {

Figures bloat(const Material& material) {
  struct Panel {
    const char* y;
    bool log_y;
    std::vector<std::pair<const char*, const char*>> columns;  ///< with their styles
  };
  const std::vector<Panel> panels{
      {"rms logit, nats", true, {{"rms_test", "solid"}, {"rms_train", "dot"}}},
      {"s* (1: calibrated)", true, {{"s_star_test", "solid"}, {"s_star_train", "dot"}}},
      {"ΔL, test, nats", false, {{"shape_total_test", "solid"}, {"radial_total_test", "dash"}}}};
  ReportFigure figure{
      .id = "bloat",
      .title = "Logit bloat",
      .caption =
          "Solid: test, dotted: training set, no line where s* is infinite or below 0; lowest panel: dashed by scale "
          "alone.",
      .formula =
          "ρ = √mean f², f centred;  s* = argmin_s L(s f);  ΔL = ΔL_shape + ΔL_radial, exactly, summed since the "
          "first observation"};
  std::vector<std::string> used;
  for (const auto& panel : panels) {
    Row series = Row::array();
    for (const auto& [column, style] : panel.columns) {
      const std::string name = std::string("logit_bloat.") + column;
      if (!material.has(name)) continue;
      used.push_back(name);
      for (const size_t r : material.all()) {
        Look look = material.look(r, style);
        look.about += std::string(", ") + column;
        const Points points = material.column(r, name);
        if (!points.empty()) series.push_back(line(look, thinned(points)));
      }
    }
    if (!series.empty()) figure.panels.push_back(step_panel(panel.y, panel.log_y, std::move(series)));
  }
  if (figure.panels.empty()) return {};
  material.put_csv(figure, material.all(), used);
  return {std::move(figure)};
}

}  // namespace logodds
