#include <algorithm>

#include "experiments/report/figures/figures.h"

namespace logodds {

namespace {

/// Columns that have a figure of their own, or are no figures.
bool shown_elsewhere(const std::string& name) {
  for (const char* known : {"step", "run", "seed", "train_loss", "test_loss", "train_accuracy", "test_accuracy"}) {
    if (name == known) return true;
  }
  return name.starts_with("weight_norms.") || name.starts_with("learning_coefficient.") ||
         name.starts_with("logit_decomposition.");
}

}  // namespace

Figures other_columns(const Material& material) {
  ReportFigure figure{.id = "columns",
                      .title = "Every other column of the metrics",
                      .caption = "One line per run; the README says what each column is.",
                      .formula = "as computed by the hook in front of the dot"};
  std::vector<std::string> columns;
  Row series = Row::array();
  for (const auto& name : material.scalar_columns()) {
    if (shown_elsewhere(name)) continue;
    for (const size_t r : material.all()) {
      Look look = material.look(r);
      look.when = {columns.size()};
      const Points points = material.column(r, name);
      if (!points.empty()) series.push_back(line(look, thinned(points)));
    }
    columns.push_back(name);
  }
  if (columns.empty()) return {};
  figure.controls.push_back(control("column", columns));
  figure.panels.push_back(step_panel("", false, std::move(series)));
  material.put_csv(figure, material.all(), columns);
  return {std::move(figure)};
}

}  // namespace logodds
