#include "training/hooks/logit_bloat.h"

#include <ATen/ATen.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <string>

namespace logodds {

void LogitBloat::Options::fields(Fields& fields) {
  fields.integer({"every_steps", "steps between observations"}, every_steps, at_least(1));
}

void LogitBloat::observe_set(const Snapshot& snapshot, const Tensor& samples_B, const char* set,
                             LossChange Memory::*cumulative, Row& row) {
  if (samples_B.numel() == 0) return;
  const auto put = [&](const char* figure, double value) {
    row[std::string("logit_bloat.") + figure + "_" + set] = value;  // NaN and infinities are written as null
  };
  const Tensor logits = snapshot.logits_NV.index_select(0, samples_B);
  const Tensor targets = snapshot.targets_N.index_select(0, samples_B);
  const OptimalScale optimum = optimal_scale(logits, targets);
  put("rms", centred_rms(logits));
  put("s_star", optimum.scale);
  put("temperature", optimum.scale > 0 ? 1 / optimum.scale : std::nan(""));
  put("calibration_gap", scaled_loss(logits, targets, 1) - optimum.loss);

  Memory& memory = memories_[snapshot.run];
  LossChange change{0, 0, 0};
  if (memory.logits_NV.defined()) {
    change = split_loss_change(memory.logits_NV.index_select(0, samples_B), logits, targets);
  }
  LossChange& total = memory.*cumulative;
  total.radial += change.radial;
  total.shape += change.shape;
  put("delta", change.total);
  put("radial", change.radial);
  put("shape", change.shape);
  put("radial_total", total.radial);
  put("shape_total", total.shape);
  if (std::string(set) == "test")
    row["logit_bloat.index"] = optimum.scale > 0 ? -std::log(optimum.scale) : std::nan("");
}

void LogitBloat::observe(const Snapshot& snapshot, Row& row) {
  observe_set(snapshot, snapshot.train_B, "train", &Memory::train, row);
  observe_set(snapshot, snapshot.test_B, "test", &Memory::test, row);
  Memory& memory = memories_[snapshot.run];
  memory.logits_NV = snapshot.logits_NV;
  memory.flat = snapshot.parameters.flat().select(0, 0).clone();
}

NamedTensors LogitBloat::state() const {
  NamedTensors state;
  for (const auto& [run, memory] : memories_) {
    const std::string prefix = std::to_string(run) + ".";
    state[prefix + "weights"] = memory.flat;
    state[prefix + "totals"] =
        at::tensor({memory.train.radial, memory.train.shape, memory.test.radial, memory.test.shape}, at::kDouble);
  }
  return state;
}

void LogitBloat::restore(const NamedTensors& state, const LogitsOf& logits_of) {
  memories_.clear();
  for (const auto& [name, tensor] : state) {
    const int64_t run = std::stoll(name);
    Memory& memory = memories_[run];
    if (name.ends_with(".weights")) {
      memory.flat = tensor;
      memory.logits_NV = logits_of(run, tensor);
    } else {
      const auto totals = tensor.accessor<double, 1>();
      memory.train = {0, totals[0], totals[1]};
      memory.test = {0, totals[2], totals[3]};
    }
  }
}

}  // namespace logodds
