#include <ATen/ATen.h>

#include <algorithm>
#include <set>

#include "core/log_odds.h"
#include "experiments/report/csv.h"
#include "experiments/report/figures/figures.h"
#include "experiments/report/table.h"

namespace logodds {

namespace {

constexpr int64_t kInputs = 4;      ///< of each of training and test set, where the reader asks for none
constexpr int64_t kShownBars = 12;  ///< circuits; the others are added up

/// What the parts of the network say on some inputs at one checkpoint.
struct Spoken {
  std::vector<std::string> questions, labels;
  Tensor evidence_PB, targets_B, rivals_B, margins_B, energy_P;
};

/// Tokens are what an input is made of; features have a number.
std::vector<int64_t> input_of(const Subject& subject, int64_t position) {
  if (subject.inputs_NT.is_floating_point()) return {subject.numbers_N[position].item<int64_t>()};
  const Tensor tokens = subject.inputs_NT[position].to(at::kLong).contiguous();
  return {tokens.const_data_ptr<int64_t>(), tokens.const_data_ptr<int64_t>() + tokens.numel()};
}

/// What the reader asked for; else some of the training and test set of the first run.
std::vector<std::vector<int64_t>> inputs(const Material& material) {
  if (!material.inputs().empty()) return material.inputs();
  const size_t r = material.chosen().front();
  const auto inspection = material.weights(r);
  const Subject subject = inspection->subject(material.runs()[r].run, kInputs);
  std::vector<std::vector<int64_t>> some;
  for (int64_t position = 0; position < subject.inputs_NT.size(0); ++position) {
    some.push_back(input_of(subject, position));
  }
  return some;
}

Spoken speak(const Material& material, size_t r, int64_t step, const std::vector<std::vector<int64_t>>& inputs) {
  const auto inspection = material.weights(r, step);
  const Selection& basis = inspection->decomposition().basis;
  Spoken spoken;
  std::vector<int64_t> numbers, positions;
  for (const auto& input : inputs) {
    numbers.push_back(inspection->find(input));
    spoken.questions.push_back(inspection->describe(input));
  }
  // Frequencies are made of each input's own logits; other decompositions look at all inputs of tokens, or at many.
  std::optional<int64_t> most;
  if (basis.name() == "output_frequency") most = 1;
  if (basis.name() != "output_frequency" && inspection->features()) most = 500;
  const Subject subject = inspection->subject(material.runs()[r].run, most, numbers);
  for (const int64_t number : numbers) positions.push_back(subject.position(number));
  const auto circuits = basis.make<Circuits>(subject.observed());
  const Tensor index = at::tensor(positions, at::kLong), rivals = runner_up(subject.logits_NV, subject.targets_N);
  spoken.labels = circuits->labels();
  spoken.energy_P = energy_shares(*circuits, subject.logits_NV);
  spoken.evidence_PB = circuit_margins(*circuits, subject.targets_N, rivals).index_select(1, index);
  spoken.targets_B = subject.targets_N.index_select(0, index);
  spoken.rivals_B = rivals.index_select(0, index);
  spoken.margins_B = margin(subject.logits_NV, subject.targets_N).index_select(0, index);
  return spoken;
}

/// The circuits with the largest energy at the last checkpoint, in their own order.
std::vector<std::string> shown_circuits(const Spoken& last) {
  const int64_t count = std::min<int64_t>(kShownBars, last.energy_P.size(0));
  const Tensor largest = std::get<0>(std::get<1>(last.energy_P.topk(count)).sort());
  std::vector<std::string> labels;
  for (int64_t i = 0; i < count; ++i) labels.push_back(last.labels[static_cast<size_t>(largest[i].item<int64_t>())]);
  return labels;
}

/// The bars of one input at one checkpoint: the shown circuits, then all others together.
Row bars(const Spoken& spoken, int64_t b, const std::vector<std::string>& shown) {
  std::vector<double> values(shown.size(), 0);
  double others = 0, sum = 0;
  for (size_t p = 0; p < spoken.labels.size(); ++p) {
    const double nats = spoken.evidence_PB[static_cast<int64_t>(p)][b].item<double>();
    const auto place = std::ranges::find(shown, spoken.labels[p]);
    (place == shown.end() ? others : values[static_cast<size_t>(place - shown.begin())]) += nats;
    sum += nats;
  }
  std::vector<std::string> places = shown;
  if (spoken.labels.size() > shown.size()) {
    places.emplace_back("all others");
    values.push_back(others);
  }
  Row drawing{{"kind", "bars"}, {"name", "evidence"}, {"places", places}, {"values", Row::array()}};
  for (const double nats : values) drawing["values"].push_back(drawn(nats));
  const double margin = spoken.margins_B[b].item<double>();
  drawing["text"] = "right: " + std::to_string(spoken.targets_B[b].item<int64_t>()) +
                    ", runner-up: " + std::to_string(spoken.rivals_B[b].item<int64_t>()) + "; sum " +
                    signed_figure(sum) + " nats, the network's margin " + signed_figure(margin) + " nats = odds of " +
                    odds(margin);
  return drawing;
}

/// One line of data per circuit.
void add_rows(std::vector<Row>& data, const std::string& label, int64_t step, const Spoken& spoken, int64_t b) {
  for (size_t p = 0; p < spoken.labels.size(); ++p) {
    data.push_back({{"run", label},
                    {"step", step},
                    {"input", spoken.questions[static_cast<size_t>(b)]},
                    {"right", spoken.targets_B[b].item<int64_t>()},
                    {"runner_up", spoken.rivals_B[b].item<int64_t>()},
                    {"circuit", spoken.labels[p]},
                    {"evidence", spoken.evidence_PB[static_cast<int64_t>(p)][b].item<double>()}});
  }
}

/// The steps of all runs' checkpoints.
std::vector<int64_t> all_steps(const Material& material) {
  std::set<int64_t> steps;
  for (const size_t r : material.chosen()) {
    for (const int64_t step : material.steps(r)) steps.insert(step);
  }
  return {steps.begin(), steps.end()};
}

}  // namespace

Figures evidence(const Material& material) {
  ReportFigure figure{
      .id = "evidence",
      .title = "Evidence of each circuit on one input",
      .caption = "Blue speaks for the right answer, orange for the runner-up; steps: the checkpoints kept.",
      .formula =
          "evidence of circuit g = f_g[right answer] − f_g[runner-up], nats; they add up to the "
          "network's margin: odds multiply"};
  const auto steps = all_steps(material);
  const auto asked = inputs(material);
  std::vector<std::string> questions, step_names;
  for (const int64_t step : steps) step_names.push_back(std::to_string(step));
  Row series = Row::array();
  std::vector<Row> data;
  for (size_t c = 0; c < material.chosen().size(); ++c) {
    const size_t r = material.chosen()[c];
    std::vector<std::string> shown;
    auto own_steps = material.steps(r);
    std::ranges::reverse(own_steps);  // the last one says which circuits are large
    for (const int64_t step : own_steps) {
      const Spoken spoken = speak(material, r, step, asked);
      if (questions.empty()) questions = spoken.questions;
      if (shown.empty()) shown = shown_circuits(spoken);
      for (int64_t b = 0; b < spoken.targets_B.size(0); ++b) {
        Row drawing = bars(spoken, b, shown);
        drawing["when"] = {c, b, std::ranges::find(steps, step) - steps.begin()};
        series.push_back(std::move(drawing));
        add_rows(data, material.runs()[r].label(), step, spoken, b);
      }
    }
  }
  if (series.empty()) return {};
  figure.controls = {control("run", material.chosen_labels()), control("input", questions),
                     control("step", step_names, /*slider=*/true)};
  figure.panels.push_back({{"x", "evidence, nats"}, {"y", ""}, {"log_y", false}, {"series", series}});
  figure.csv = to_csv(data);
  return {std::move(figure)};
}

}  // namespace logodds
