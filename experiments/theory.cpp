#include "experiments/theory.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "core/error.h"
#include "models/circuits/forecasters.h"
#include "models/forecaster_ensemble.h"
#include "training/claim.h"
#include "training/learnt.h"

namespace logodds {

namespace {

const Tensor& set_of(const Subject& subject, const std::string& name) {
  for (const auto& [set, examples] : subject.sets) {
    if (set == name) return examples;
  }
  throw Error("'theory' needs test examples: set task.test_size");
}

Trained trained(const Inspection& inspection, size_t run) {
  Subject subject = inspection.subject(run);
  const auto chosen = [&](const Tensor& all, const char* set) { return all.index_select(0, set_of(subject, set)); };
  const auto examples = [&](const char* set) {
    return Examples{chosen(subject.inputs_NT, set), chosen(subject.targets_N, set)};
  };
  const Examples train = examples("train"), test = examples("test");
  const Tensor train_logits = chosen(subject.logits_NV, "train"), test_logits = chosen(subject.logits_NV, "test");
  return {inspection.experiment().setting_label(run),
          inspection.world(run),
          subject.model,
          std::move(subject.parameters),
          train,
          test,
          train_logits,
          test_logits};
}

/// The runs, those of one seed together, seeds in the order of their first run.
std::vector<std::vector<Trained>> by_seed(const Inspection& inspection) {
  const auto seeds = inspection.experiment().seeds();
  std::vector<int64_t> order;
  std::vector<std::vector<Trained>> groups;
  for (size_t run = 0; run < inspection.run_count(); ++run) {
    const size_t group = static_cast<size_t>(std::ranges::find(order, seeds[run]) - order.begin());
    if (group == order.size()) {
      order.push_back(seeds[run]);
      groups.emplace_back();
    }
    groups[group].push_back(trained(inspection, run));
  }
  return groups;
}

Row agreement_row(const Agreement& agreement) {
  return {{"label", agreement.label}, {"r_squared", agreement.r_squared}, {"slope", agreement.slope}};
}

}  // namespace

Row theory_table(const Inspection& inspection) {
  const auto& claims = inspection.experiment().options().theory;
  if (claims.empty())
    throw Error("the run's configuration has no 'theory'; 'logodds list claims' says what can stand there");
  const auto groups = by_seed(inspection);
  Row rows = Row::array();
  for (const auto& selection : claims) {
    for (const auto& row : table_rows(*selection.make<Claim>(), groups)) {
      rows.push_back({{"claim", selection.name()},
                      {"what", row.what},
                      {"theory", row.theory},
                      {"measured", row.measured},
                      {"low", row.low},
                      {"high", row.high},
                      {"seeds", row.seeds}});
    }
  }
  return rows;
}

std::optional<Row> learnt_row(const Inspection& inspection, size_t run) {
  const auto world = inspection.world(run);
  if (!world) return std::nullopt;
  const Subject subject = inspection.subject(run);
  const Tensor& examples = subject.sets.back().second;
  const Tensor inputs = subject.inputs_NT.index_select(0, examples),
               logits = subject.logits_NV.index_select(0, examples);
  std::unique_ptr<Circuits> parts;
  if (dynamic_cast<const ForecasterEnsemble*>(&subject.model) != nullptr) {
    parts = std::make_unique<ForecasterCircuits>(ForecasterCircuits::Options(),
                                                 Observed{subject.model, subject.parameters, inputs, logits});
  }
  const Learnt found = learnt(*world, inputs, logits, parts.get());
  const Estimate bayes = world->loss(1);
  Row features = Row::array();
  for (const auto& feature : found.features) features.push_back(agreement_row(feature));
  return Row{{"set", subject.sets.back().first},
             {"bayes_loss", bayes.value},
             {"bayes_loss_error", bayes.error},
             {"temperature", world->temperature()},
             {"shown", world->shown()},
             {"sum", agreement_row(found.sum)},
             {"features", features}};
}

}  // namespace logodds
