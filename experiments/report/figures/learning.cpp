#include "experiments/report/figures/figures.h"

namespace logodds {

Figures learning(const Material& material) {
  ReportFigure figure{.id = "learning",
                      .title = "Loss and accuracy",
                      .caption = "Each line is a run; solid on the test set, dotted on the training set.",
                      .formula =
                          "L = −1/N Σ ln p(right answer), in nats, where the loss is a cross-entropy; accuracy: share "
                          "of examples whose largest logit is the right one"};
  std::vector<std::string> columns;
  for (const auto& [quantity, log_y] : {std::pair("loss", true), std::pair("accuracy", false)}) {
    Row series = Row::array();
    for (const char* set : {"test", "train"}) {
      const std::string name = std::string(set) + "_" + quantity;
      if (!material.has(name)) continue;
      columns.push_back(name);
      for (const size_t r : material.all()) {
        Look look = material.look(r, set == std::string("test") ? "solid" : "dot");
        look.about += std::string(", ") + set;
        const Points points = material.column(r, name);
        if (!points.empty()) series.push_back(line(look, thinned(points)));
      }
    }
    if (!series.empty()) figure.panels.push_back(step_panel(quantity, log_y, std::move(series)));
  }
  if (figure.panels.empty()) return {};
  material.put_csv(figure, material.all(), columns);
  return {std::move(figure)};
}

}  // namespace logodds
