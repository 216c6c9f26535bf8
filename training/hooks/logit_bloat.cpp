#include "training/hooks/logit_bloat.h"

#include <ATen/ATen.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace logodds {

void LogitBloat::Options::fields(Fields& fields) {
  fields.integer({"every_steps", "steps between observations"}, every_steps, at_least(1));
}

void LogitBloat::observe_set(const Snapshot& snapshot, const Tensor& samples_B, const char* set, OfSet Memory::*of_set,
                             Row& row) {
  if (samples_B.numel() == 0) return;
  const auto put = [&](const char* figure, double value) {
    row[std::string("logit_bloat.") + figure + "_" + set] = value;  // NaN and infinities are written as null
  };
  Memory& memory = memories_[snapshot.run];
  OfSet& last = memory.*of_set;
  const Tensor logits = snapshot.logits_NV.index_select(0, samples_B);
  const Tensor targets = snapshot.targets_N.index_select(0, samples_B);
  const OptimalScale optimum = optimal_scale(logits, targets, last.s_star);
  const KnownLogits now{logits, centred_rms(logits), optimum.loss_at_one};
  put("rms", now.rms);
  put("s_star", optimum.scale);
  put("temperature", optimum.scale > 0 ? 1 / optimum.scale : std::nan(""));
  put("calibration_gap", now.loss - optimum.loss);

  LossChange change{0, 0, 0};
  if (memory.logits_NV.defined()) {
    change = split_loss_change({memory.logits_NV.index_select(0, samples_B), last.rms, last.loss}, now, targets);
  }
  last = {now.rms, now.loss, optimum.scale, last.radial + change.radial, last.shape + change.shape};
  put("delta", change.total);
  put("radial", change.radial);
  put("shape", change.shape);
  put("radial_total", last.radial);
  put("shape_total", last.shape);
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
    std::vector<double> numbers;
    for (const OfSet& of : {memory.train, memory.test}) {
      numbers.insert(numbers.end(), {of.rms, of.loss, of.s_star, of.radial, of.shape});
    }
    state[prefix + "sets"] = at::tensor(numbers, at::kDouble);
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
    } else if (tensor.numel() == 2 * OfSet::kNumbers) {
      const auto* of = tensor.const_data_ptr<double>();
      memory.train = {of[0], of[1], of[2], of[3], of[4]};
      memory.test = {of[5], of[6], of[7], of[8], of[9]};
    } else {
      throw Error("the state of logit_bloat was written by another version of logodds", ExitCode::io);
    }
  }
}

}  // namespace logodds
