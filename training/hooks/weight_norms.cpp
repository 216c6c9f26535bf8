#include "training/hooks/weight_norms.h"

#include <ATen/ATen.h>

#include <nlohmann/json.hpp>

namespace logodds {

void WeightNorms::Options::fields(Fields& fields) {
  fields.integer({"every_steps", "steps between observations"}, every_steps, at_least(1));
}

void WeightNorms::observe(const Snapshot& snapshot, Row& row) {
  const auto norm = [](const Tensor& weights) { return weights.to(at::kDouble).norm().item<double>(); };
  row["weight_norms.total"] = norm(snapshot.parameters.flat());
  for (const auto& spec : snapshot.parameters.specs()) {
    row["weight_norms." + spec.name] = norm(snapshot.parameters[spec.name]);
  }
}

}  // namespace logodds
