#include <ATen/ATen.h>

#include <cmath>

#include "experiments/report/csv.h"
#include "experiments/report/figures/figures.h"
#include "models/circuits/grid.h"
#include "models/circuits/measures/neurons.h"

namespace logodds {

Figures neurons_by_frequency(const Material& material) {
  ReportFigure figure{
      .id = "neurons",
      .title = "Neurons by frequency",
      .caption = "Each row is a neuron of the last hidden layer at the newest checkpoint, sorted by its frequency.",
      .formula = "share of the activation's variance over all pairs (a, b) in the modes (κ,0), (0,κ), (κ,±κ)"};
  Row series = Row::array();
  std::vector<Row> data;
  for (size_t c = 0; c < material.chosen().size(); ++c) {
    const size_t r = material.chosen()[c];
    const auto inspection = material.weights(r);
    const Subject subject = inspection->subject(material.runs()[r].run);
    if (subject.inputs_NT.is_floating_point() || grid_modulus(subject.observed().inputs_BT) == 0) continue;
    const Neurons found = neurons(subject.observed());
    const Tensor order = std::get<1>(at::sort(found.frequency_M.to(at::kDouble) - found.share_M));
    const Tensor shares = found.shares_MK.index_select(0, order).contiguous();
    Row z = Row::array(), names = Row::array();
    for (int64_t row = 0; row < shares.size(0); ++row) {
      const int64_t neuron = order[row].item<int64_t>();
      Row values = Row::array(), line{{"run", material.runs()[r].label()}, {"neuron", neuron}};
      const double* share = shares.const_data_ptr<double>() + row * shares.size(1);
      for (int64_t k = 0; k < shares.size(1); ++k) {
        values.push_back(std::round(1e4 * share[k]) / 1e4);
        line["κ=" + std::to_string(k + 1)] = share[k];
      }
      z.push_back(std::move(values));
      names.push_back("neuron " + std::to_string(neuron));
      data.push_back(std::move(line));
    }
    series.push_back({{"kind", "matrix"}, {"name", "share"}, {"when", {c}}, {"first", 1}, {"rows", names}, {"z", z}});
  }
  if (series.empty()) return {};
  figure.controls.push_back(control("run", material.chosen_labels()));
  figure.panels.push_back(
      {{"x", "frequency κ"}, {"y", "neurons"}, {"log_y", false}, {"tall", true}, {"series", series}});
  figure.csv = to_csv(data);
  return {std::move(figure)};
}

}  // namespace logodds
