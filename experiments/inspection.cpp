#include "experiments/inspection.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/log_odds.h"
#include "core/text.h"
#include "models/circuits/key_circuits.h"
#include "models/circuits/output_frequency.h"
#include "training/hooks/logit_bloat.h"
#include "training/hooks/logit_decomposition.h"
#include "training/hooks/weight_norms.h"

namespace logodds {

namespace {

Checkpoint load(const RunDirectory& directory, int64_t step) {
  const auto checkpoints = directory.checkpoints();
  if (step < 0) return checkpoints.load_newest();
  const auto steps = checkpoints.steps();
  if (std::ranges::count(steps, step) == 0) {
    std::vector<std::string> known;
    for (const int64_t s : steps) known.push_back(std::to_string(s));
    throw Error(directory.path().string() + ": has no checkpoint of step " + std::to_string(step) + "; there are " +
                join(known));
  }
  return checkpoints.load(step);
}

}  // namespace

Inspection::Inspection(const RunDirectory& directory, int64_t step)
    : experiment_(directory.experiment()),
      task_(experiment_.options().task.make<Task>()),
      pack_(experiment_.assemble()),
      checkpoint_(load(directory, step)) {
  if (checkpoint_.runs.size() != run_count())
    throw io_error(directory.path().string() + ": the checkpoint is of another configuration");
  for (const auto& [name, hook] : pack_.hooks) {
    if (const auto* configured = dynamic_cast<const LogitDecomposition*>(hook.get()))
      decomposition_ = configured->options();
  }
  for (size_t run = 0; run < run_count(); ++run) {
    pack_.parameters.load(static_cast<int64_t>(run), checkpoint_.runs[run], directory.path().string());
  }
}

Snapshot Inspection::snapshot(const Parameters& one, size_t run) const {
  const at::NoGradGuard no_grad;
  const auto r = static_cast<int64_t>(run);
  return {.step = step(),
          .run = r,
          .model = *pack_.model,
          .parameters = one,
          .inputs_NT = pack_.data.inputs[r],
          .logits_NV = pack_.model->logits(one, pack_.data.inputs.narrow(0, r, 1)).squeeze(0),
          .targets_N = pack_.data.targets_RN[r],
          .train_B = pack_.data.train_RB[r],
          .test_B = pack_.data.test_RB[r]};
}

Row Inspection::summary(size_t run) const {
  const Parameters one = pack_.parameters.select(static_cast<int64_t>(run));
  const Snapshot seen = snapshot(one, run);
  Row row = evaluation_row(seen, *pack_.loss, pack_.seeds[run]);
  row["label"] = label(run);
  LogitDecomposition(decomposition_).observe(seen, row);
  LogitBloat({}).observe(seen, row);
  WeightNorms({}).observe(seen, row);
  for (const char* figure : {"delta", "radial", "shape", "radial_total", "shape_total"}) {
    for (const char* set : {"_train", "_test"}) row.erase(std::string("logit_bloat.") + figure + set);
  }
  return row;
}

std::vector<std::string> Inspection::circuit_labels(size_t run) const {
  const Parameters one = pack_.parameters.select(static_cast<int64_t>(run));
  return OutputFrequency(snapshot(one, run).logits_NV.narrow(0, 0, 1)).labels();
}

Inspection::Evidence Inspection::evidence(size_t run, const std::vector<int64_t>& input) const {
  const int64_t example = task_->find(input);
  const Parameters one = pack_.parameters.select(static_cast<int64_t>(run));
  const Snapshot seen = snapshot(one, run);
  const OutputFrequency circuits(seen.logits_NV);
  const Tensor logits = seen.logits_NV.narrow(0, example, 1), target = seen.targets_N.narrow(0, example, 1);
  const Tensor rival = runner_up(logits, target);
  const OutputFrequency on_input(logits);
  const Tensor margins_P = circuit_margins(on_input, target, rival).squeeze(1).to(at::kDouble);
  const auto chosen = key_circuits(circuits.cosine_fve(seen.targets_N), decomposition_.key_fve);

  Evidence evidence{.question = task_->describe(input),
                    .target = target.item<int64_t>(),
                    .runner_up = rival.item<int64_t>(),
                    .margin = margin(logits, target).item<double>(),
                    .probability = std::exp(-cross_entropy(logits, target).item<double>()),
                    .sum = margins_P.sum().item<double>(),
                    .completeness_error = completeness_error(circuits, seen.logits_NV),
                    .circuits = {}};
  for (int64_t p = 0; p < circuits.size(); ++p) {
    evidence.circuits.push_back({circuits.labels()[static_cast<size_t>(p)], margins_P[p].item<double>(),
                                 std::ranges::count(chosen.key, p) > 0});
  }
  std::ranges::stable_sort(
      evidence.circuits, [](const auto& a, const auto& b) { return a.key != b.key ? a.key : a.evidence > b.evidence; });
  return evidence;
}

}  // namespace logodds
