#include "training/hooks/learning_coefficient.h"

#include <ATen/ATen.h>

#include <nlohmann/json.hpp>

#include "core/error.h"

namespace logodds {

LearningCoefficientHook::Options::Options() {
  sampling.chains = 4;
  sampling.burn_in = 100;
  sampling.draws = 100;
}

void LearningCoefficientHook::Options::fields(Fields& fields) {
  fields.integer({"every_steps", "steps between observations"}, every_steps, at_least(1));
  sampling.fields(fields);
}

void LearningCoefficientHook::observe(const Snapshot& snapshot, Row& row) {
  if (snapshot.loss == nullptr) throw Error("learning_coefficient: a snapshot without a loss", ExitCode::internal);
  const SamplingOptions& sampling = options_.sampling;
  const SampledRun run = sampled_run(sampling, {snapshot.model, *snapshot.loss, snapshot.inputs_NT, snapshot.targets_N},
                                     snapshot.parameters, snapshot.train_B, snapshot.test_B);
  Chains chains = coefficient_chains(sampling, run);
  chains.run_to(sampling.steps());
  const LearningCoefficient found = learning_coefficient(sampling, run, chains.trace());
  const auto if_it_stands = [&](double value) { return found.refusals.empty() ? Row(value) : Row(nullptr); };
  row["learning_coefficient.mean"] = if_it_stands(found.mean);
  row["learning_coefficient.standard_error"] = if_it_stands(found.error);
  row["learning_coefficient.estimate"] = found.mean;
  row["learning_coefficient.refusals"] = found.refusals.size();
  row["learning_coefficient.r_hat"] = found.convergence.r_hat;
  row["learning_coefficient.init_loss"] = found.centre_loss;
}

}  // namespace logodds
