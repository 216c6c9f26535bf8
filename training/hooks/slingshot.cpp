#include "training/hooks/slingshot.h"

#include <ATen/ATen.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "core/error.h"

namespace logodds {

void Slingshot::Options::fields(Fields& fields) {
  fields.integer({"every_steps", "steps between observations"}, every_steps, at_least(1));
}

namespace {

/// The activations of the last layer that has any, on the training examples.
Tensor last_hidden(const Snapshot& snapshot) {
  const Tensor inputs = snapshot.inputs_NT.index_select(0, snapshot.train_B);
  std::string last;
  trace_in_batches(snapshot.model, snapshot.parameters, inputs.narrow(0, 0, 1),
                   [&](const std::string& name, const Tensor&) {
                     if (name.ends_with("hook_post")) last = name;
                   });
  if (last.empty()) throw Error("the hook 'slingshot' needs a model with a hidden layer ('hook_post')");
  std::vector<Tensor> parts;
  trace_in_batches(snapshot.model, snapshot.parameters, inputs, [&](const std::string& name, const Tensor& activation) {
    if (name == last) parts.push_back(activation);
  });
  return at::cat(parts);
}

}  // namespace

void Slingshot::observe(const Snapshot& snapshot, Row& row) {
  const Tensor now = last_hidden(snapshot);
  double change = std::nan("");
  if (const Tensor before = last_.exchange(snapshot.run, now); before.defined()) {
    change = ((now.to(at::kDouble) - before).norm() / before.norm()).item<double>();
  }
  row["slingshot.feature_change"] = change;
}

}  // namespace logodds
