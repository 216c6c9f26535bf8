#include <ATen/ATen.h>

#include "core/log_odds.h"
#include "experiments/picture.h"
#include "experiments/report/csv.h"
#include "experiments/report/figures/figures.h"
#include "experiments/report/table.h"

namespace logodds {

namespace {

constexpr int64_t kImages = 6;

/// The examples that are drawn: what the reader asked for, else some of the last set (test, where there is one).
Tensor drawn_examples(const Material& material, const Inspection& inspection, const Subject& subject) {
  if (material.inputs().empty()) return subject.sets.back().second;
  std::vector<int64_t> positions;
  for (const auto& input : material.inputs()) positions.push_back(subject.position(inspection.find(input)));
  return at::tensor(positions, at::kLong);
}

}  // namespace

Figures pictures(const Material& material) {
  ReportFigure figure{
      .id = "pictures",
      .title = "Images with the evidence of their patches",
      .caption = "Blue patches speak for the right answer, orange ones for the runner-up; newest checkpoint.",
      .formula =
          "Shapley value of each patch for f[right answer] − f[runner-up], nats; with the background they add "
          "up to the network's margin"};
  std::vector<Row> data;
  std::vector<Row> panels(kImages);
  for (size_t c = 0; c < material.chosen().size(); ++c) {
    const size_t r = material.chosen()[c];
    const auto inspection = material.weights(r);
    std::vector<int64_t> asked;
    for (const auto& input : material.inputs()) asked.push_back(inspection->find(input));
    const Subject subject = inspection->subject(material.runs()[r].run, kImages, asked);
    if (subject.model.image().empty()) continue;
    const Tensor examples = drawn_examples(material, *inspection, subject);
    const Tensor rivals = runner_up(subject.logits_NV, subject.targets_N);
    for (int64_t i = 0; i < std::min(kImages, examples.size(0)); ++i) {
      const auto position = examples[i].item<int64_t>();
      const auto seen = picture(subject, position, inspection->decomposition().basis);
      const std::string name = inspection->describe({subject.numbers_N[position].item<int64_t>()});
      const std::string right = std::to_string(subject.targets_N[position].item<int64_t>()),
                        rival = std::to_string(rivals[position].item<int64_t>());
      panels[static_cast<size_t>(i)].push_back({{"kind", "image"},
                                                {"name", name},
                                                {"when", {c}},
                                                {"text", name + ": " + right + " against " + rival},
                                                {"pixels", seen->at("pixels")},
                                                {"patches", seen->at("patches")}});
      const auto& patches = seen->at("patches");
      for (size_t row = 0; row < patches.size(); ++row) {
        for (size_t column = 0; column < patches[row].size(); ++column) {
          data.push_back({{"run", material.runs()[r].label()},
                          {"input", name},
                          {"right", right},
                          {"runner_up", rival},
                          {"row", row},
                          {"column", column},
                          {"evidence", patches[row][column]}});
        }
      }
      data.push_back({{"run", material.runs()[r].label()},
                      {"input", name},
                      {"right", right},
                      {"runner_up", rival},
                      {"row", "background"},
                      {"column", nullptr},
                      {"evidence", seen->at("background")}});
    }
  }
  for (auto& series : panels) {
    if (!series.empty())
      figure.panels.push_back({{"x", ""}, {"y", ""}, {"log_y", false}, {"series", std::move(series)}});
  }
  if (figure.panels.empty()) return {};
  figure.controls.push_back(control("run", material.chosen_labels()));
  figure.csv = to_csv(data);
  return {std::move(figure)};
}

}  // namespace logodds
