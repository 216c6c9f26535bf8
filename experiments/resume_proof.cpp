#include "experiments/resume_proof.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <sstream>

#include "core/files.h"
#include "core/text.h"
#include "experiments/run_training.h"

namespace logodds {

namespace fs = std::filesystem;

namespace {

/// Trains in a directory until the last step or `stop`; what is there is continued.
void train_until(const fs::path& path, Pack pack, const TrainerOptions& options, const std::vector<int64_t>& saves,
                 int64_t stop) {
  int64_t step = 0;
  TrainerEvents events;
  events.stepped = [&](int64_t now) { step = now; };
  events.interrupted = [&] { return step == stop; };
  events.save_asked = [&] { return std::ranges::binary_search(saves, step); };
  RunTraining training(options, std::move(pack), std::move(events));
  const RunDirectory directory = RunDirectory::without_configuration(path);
  const bool begun = !directory.checkpoints().named().empty();
  const auto start = begun ? directory.newest_checkpoint() : std::nullopt;
  training.write_to(directory, start, [](size_t run) { return "run " + std::to_string(run); });
  step = training.trainer().step();
  training.trainer().run();
}

/// The tensors that begin with `prefix`, or those that do not.
NamedTensors chosen(const NamedTensors& all, const std::string& prefix) {
  NamedTensors some;
  for (const auto& [name, tensor] : all) {
    if (name.starts_with(prefix)) some.emplace(name, tensor);
  }
  return some;
}

std::vector<std::string> checkpoint_differences(const Checkpoint& whole, const Checkpoint& part, bool at_end) {
  const std::string where = "step " + std::to_string(whole.step) + ": ";
  std::vector<std::string> all;
  const auto add = [&](const std::vector<std::string>& more) { all.insert(all.end(), more.begin(), more.end()); };
  for (size_t run = 0; run < whole.runs.size(); ++run) {
    add(tensor_differences(whole.runs[run], part.runs.at(run), where + "run " + std::to_string(run) + ": "));
  }
  // A trainer that is stopped at a step of evaluation has not evaluated yet: until the end, hooks may be one behind.
  const std::string prefix = at_end ? "" : "optimizer.";
  add(tensor_differences(chosen(whole.state, prefix), chosen(part.state, prefix), where));
  if (at_end && whole.numbers != part.numbers) all.push_back(where + "state.json differs");
  return all;
}

std::vector<std::string> lines_of(const fs::path& path) {
  std::istringstream text(read_file(path));
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

std::vector<std::string> metrics_differences(const fs::path& whole, const fs::path& part) {
  const auto a = lines_of(whole), b = lines_of(part);
  for (size_t i = 0; i < std::max(a.size(), b.size()); ++i) {
    if (i < a.size() && i < b.size() && a[i] == b[i]) continue;
    return {"metrics.jsonl:" + std::to_string(i + 1) + " differs: uninterrupted '" + (i < a.size() ? a[i] : "(end)") +
            "', interrupted '" + (i < b.size() ? b[i] : "(end)") + "'"};
  }
  return {};
}

}  // namespace

std::vector<std::string> tensor_differences(const NamedTensors& whole, const NamedTensors& part,
                                            const std::string& where) {
  std::vector<std::string> all;
  for (const auto& [name, tensor] : whole) {
    const auto found = part.find(name);
    if (found == part.end()) {
      all.push_back(where + name + " is missing after the interruption");
      continue;
    }
    const Tensor a = tensor.contiguous(), b = found->second.contiguous();
    if (a.scalar_type() != b.scalar_type() || a.sizes() != b.sizes()) {
      all.push_back(where + name + " has another shape or type after the interruption");
    } else if (a.nbytes() > 0 && std::memcmp(a.const_data_ptr(), b.const_data_ptr(), a.nbytes()) != 0) {
      const Tensor apart = (a.to(at::kDouble) - b.to(at::kDouble)).abs();
      all.push_back(where + name + " differs in " + std::to_string(apart.ne(0).sum().item<int64_t>()) + " of " +
                    std::to_string(a.numel()) + " numbers, by at most " + shortest(apart.max().item<double>()));
    }
  }
  for (const auto& [name, tensor] : part) {
    if (!whole.contains(name)) all.push_back(where + name + " is there only after the interruption");
  }
  return all;
}

ResumeProof prove_resume(const std::function<Pack()>& make, const TrainerOptions& options,
                         const std::vector<int64_t>& stops, const fs::path& directory) {
  TrainerOptions all_kept = options;
  all_kept.keep_last_checkpoints = options.steps + 1;
  const fs::path whole = directory / "whole", part = directory / "part";
  train_until(whole, make(), all_kept, stops, -1);
  for (const int64_t stop : stops) train_until(part, make(), all_kept, {}, stop);
  train_until(part, make(), all_kept, {}, -1);

  ResumeProof proof;
  const CheckpointDirectory a(whole / "checkpoints"), b(part / "checkpoints");
  const auto compare = [&](int64_t step) {
    const Checkpoint reference = a.load(step);
    const auto found = checkpoint_differences(reference, b.load(step), step == options.steps);
    proof.differences.insert(proof.differences.end(), found.begin(), found.end());
    return reference;
  };
  for (const int64_t stop : stops) compare(stop);
  const Checkpoint end = compare(options.steps);
  for (const auto& run : end.runs) proof.tensors += run.size();
  proof.tensors += end.state.size();
  proof.rows = read_metrics(whole / "metrics.jsonl").size();
  const auto lines = metrics_differences(whole / "metrics.jsonl", part / "metrics.jsonl");
  proof.differences.insert(proof.differences.end(), lines.begin(), lines.end());
  return proof;
}

}  // namespace logodds
