#include "training/hooks/logit_decomposition.h"

#include <ATen/ATen.h>

#include <nlohmann/json.hpp>

#include "core/log_odds.h"
#include "models/circuits/key_circuits.h"
#include "models/circuits/output_frequency.h"

namespace logodds {

void LogitDecomposition::Options::fields(Fields& fields) {
  fields.component({"basis", "the decomposition"}, basis);
  fields.real(
      {"key_fve", "a circuit is key when it (output_frequency: its cosine) explains this share of the variance"},
      key_fve, between(0, 1));
  fields.integer({"every_steps", "steps between observations"}, every_steps, at_least(1));
}

namespace {

std::vector<double> numbers(const Tensor& vector) {
  const Tensor wide = vector.to(at::kCPU, at::kDouble).contiguous();
  return {wide.const_data_ptr<double>(), wide.const_data_ptr<double>() + wide.numel()};
}

/// Loss of logits [N,V] on the training and the test examples as columns NAME_train and NAME_test.
void put_losses(const Snapshot& snapshot, const Tensor& logits_NV, const std::string& name, Row& row) {
  const Tensor losses_N = cross_entropy(logits_NV, snapshot.targets_N);
  const auto mean = [&](const Tensor& samples_B) { return losses_N.index_select(0, samples_B).mean().item<double>(); };
  row["logit_decomposition." + name + "_train"] = mean(snapshot.train_B);
  if (snapshot.test_B.numel() > 0) row["logit_decomposition." + name + "_test"] = mean(snapshot.test_B);
}

}  // namespace

void LogitDecomposition::observe(const Snapshot& snapshot, Row& row) {
  // Circuits are held against the true classes, losses against the labels.
  const Tensor &logits_NV = snapshot.logits_NV,
               &truth_N = snapshot.truth_N.defined() ? snapshot.truth_N : snapshot.targets_N;
  const auto circuits = options_.basis.make<Circuits>(snapshot.observed());
  const auto* modes = dynamic_cast<const GroupModes*>(circuits.get());
  if (modes != nullptr && modes->template_name().empty()) modes = nullptr;
  const Tensor energy_P = energy_shares(*circuits, logits_NV);
  const Tensor right_P = circuits->mean_at_classes(truth_N);  // also the templates' coefficients
  const Tensor rival_P = circuits->mean_at_classes(runner_up(logits_NV, truth_N));
  const Tensor share_P = modes != nullptr ? modes->template_fve(right_P) : energy_P;
  const KeyCircuits chosen = key_circuits(share_P, options_.key_fve);

  const std::string prefix = "logit_decomposition.";
  row[prefix + "energy_share"] = numbers(energy_P);
  row[prefix + "margin"] = numbers(right_P - rival_P);
  double key_fve = 0;
  for (const int64_t p : chosen.key) key_fve += share_P[p].item<double>();
  row[prefix + "key_fve"] = key_fve;
  row[prefix + "key_count"] = chosen.key.size();
  if (modes != nullptr) {
    const std::string name = modes->template_name();
    row[prefix + name + "_coefficient"] = numbers(right_P);
    row[prefix + name + "_fve"] = numbers(share_P);
    put_losses(snapshot, modes->templates(chosen.key, right_P, truth_N), name + "_loss", row);
  }
  if (modes != nullptr && dynamic_cast<const OutputFrequency*>(modes) != nullptr) {
    std::vector<int64_t> keys;
    for (const int64_t p : chosen.key) keys.push_back(OutputFrequency::frequency(p));
    row[prefix + "key_frequencies"] = keys;
  } else {
    std::vector<std::string> keys;
    for (const int64_t p : chosen.key) keys.push_back(circuits->labels()[static_cast<size_t>(p)]);
    row[prefix + "labels"] = circuits->labels();
    row[prefix + "key_circuits"] = keys;
  }
  const Tensor key_NV = circuits->sum(chosen.key), other_NV = circuits->sum(chosen.other);
  put_losses(snapshot, key_NV, "restricted_loss", row);
  put_losses(snapshot, other_NV, "excluded_loss", row);
  row[prefix + "completeness_error"] = completeness_error(key_NV + other_NV, logits_NV);
}

}  // namespace logodds
