#include <cmath>

#include "experiments/circuit_report.h"
#include "experiments/report/csv.h"
#include "experiments/report/figures/figures.h"

namespace logodds {

Figures loss_by_circuits(const Material& material) {
  ReportFigure figure{.id = "loss_by_circuits",
                      .title = "Loss against the number of circuits",
                      .caption = "The largest key circuits of the newest checkpoint alone.",
                      .formula = "independent circuits multiply odds: ln L falls by a constant each"};
  Row series = Row::array();
  std::vector<Row> data;
  bool cosines = false;
  for (size_t c = 0; c < material.chosen().size(); ++c) {
    const size_t r = material.chosen()[c];
    const auto inspection = material.weights(r);
    const Subject subject = inspection->subject(material.runs()[r].run);
    const auto& decomposition = inspection->decomposition();
    const Row curve = CircuitReport(subject, {.circuits = decomposition.basis,
                                              .cross = std::nullopt,
                                              .drop = {},
                                              .keep = {},
                                              .key_share = decomposition.key_fve})
                          .curve();
    if (curve.is_null()) continue;
    for (const char* kind : {"loss", "random_model_loss"}) {
      if (!curve.contains(kind)) continue;
      const bool theory = kind != std::string("loss");
      cosines = cosines || theory;
      Points points;
      for (const auto& value : curve.at(kind))
        points.emplace_back(points.size(), value.is_number() ? value.get<double>() : std::nan(""));
      Look look{theory ? "theory" : "measured", "", theory ? 1 : 0, theory ? "dash" : "solid", {c}};
      Row drawing = line(look, points);
      drawing["marks"] = true;
      Row about = Row::array();
      for (size_t k = 0; k < points.size(); ++k) {
        const std::string added = k == 0 ? "no circuit" : "with " + curve.at("circuits")[k - 1].get<std::string>();
        about.push_back(look.name + ", " + added);
        data.push_back({{"run", material.runs()[r].label()},
                        {"kind", look.name},
                        {"circuits", k},
                        {"added", added},
                        {"loss", points[k].second}});
      }
      drawing["about"] = about;
      series.push_back(std::move(drawing));
    }
  }
  if (series.empty()) return {};
  if (cosines) {
    figure.caption += " Dashed: a network of nothing but these cosines.";
    figure.formula += ";  dashed: ln(1 + Σ_{δ≠0} e^{−m(δ)}), m(δ) = 2 Σ_κ A_κ sin²(πκδ/p)";
  }
  figure.controls.push_back(control("run", material.chosen_labels()));
  figure.panels.push_back({{"x", "number of circuits"}, {"y", "loss, nats"}, {"log_y", true}, {"series", series}});
  figure.csv = to_csv(data);
  return {std::move(figure)};
}

}  // namespace logodds
