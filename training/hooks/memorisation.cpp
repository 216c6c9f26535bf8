#include "training/hooks/memorisation.h"

#include <ATen/ATen.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "core/log_odds.h"

namespace logodds {

void Memorisation::Options::fields(Fields& fields) {
  fields.integer({"every_steps", "steps between observations"}, every_steps, at_least(1));
}

namespace {

/// -ln[(1 - ρ) P_y + ρ (1 - P_y)/(V - 1)] of each example, from the posterior's log-odds.
Tensor loss_of_noisy_posterior(const Tensor& posterior_NV, const Tensor& labels_N, double rho) {
  const Tensor right = cross_entropy(posterior_NV, labels_N).neg().exp();
  const auto others = static_cast<double>(posterior_NV.size(1) - 1);
  return ((1 - rho) * right + rho * (1 - right) / others).log().neg();
}

}  // namespace

void Memorisation::observe(const Snapshot& snapshot, Row& row) {
  const Tensor logits = snapshot.logits_NV.index_select(0, snapshot.train_B),
               labels = snapshot.targets_N.index_select(0, snapshot.train_B),
               truth = snapshot.truth_N.defined() ? snapshot.truth_N.index_select(0, snapshot.train_B) : labels;
  const Tensor changed = labels.ne(truth), clean = changed.logical_not();
  const Tensor loss = cross_entropy(logits, labels), right = margin(logits, labels).gt(0);
  const auto n = static_cast<double>(labels.size(0)), m = changed.sum().item<double>();
  // NaN, which is written as null, where there is nothing to average over.
  const auto mean = [](const Tensor& x, const Tensor& where) {
    return x.to(at::kDouble).masked_select(where).mean().item<double>();
  };
  const auto count = [&](const Tensor& of) {
    return m == 0 ? Row(nullptr) : Row((of & changed).sum().item<int64_t>());
  };
  const double loss_changed = mean(loss, changed), loss_clean = mean(loss, clean);
  const double guess = std::log(static_cast<double>(logits.size(1)));
  row["memorisation.changed"] = static_cast<int64_t>(m);
  row["memorisation.stored"] = count(right);
  row["memorisation.resisted"] = count(margin(logits, truth).gt(0));
  row["memorisation.clean_accuracy"] = mean(right, clean);
  row["memorisation.loss_changed"] = loss_changed;
  row["memorisation.loss_clean"] = loss_clean;
  row["memorisation.cost"] = (loss_changed - loss_clean) / n;
  row["memorisation.nats"] = m * (guess - loss_changed);
  if (!snapshot.posterior_NV.defined()) return;
  const Tensor stored = changed & right;
  const double s = stored.sum().item<double>(), rho = s == n ? 0 : (m - s) / (n - s);
  const Tensor expected = loss_of_noisy_posterior(snapshot.posterior_NV.index_select(0, snapshot.train_B), labels, rho);
  row["memorisation.predicted_loss"] = expected.masked_select(stored.logical_not()).sum().item<double>() / n;
}

}  // namespace logodds
