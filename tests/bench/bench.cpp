// Times what training spends its time on, with the shipped configurations: one step, one evaluation with and without
// hooks. `./dev bench`.

#include <benchmark/benchmark.h>

#include "experiments/experiment.h"

namespace logodds {
namespace {

Trainer trainer(const std::string& config, const std::vector<std::string>& overrides,
                const std::vector<std::string>& hooks) {
  const Experiment experiment = Experiment::from_file(std::string(LOGODDS_CONFIGS) + "/" + config, overrides);
  Pack pack = experiment.assemble();
  std::erase_if(pack.hooks, [&](const auto& hook) { return std::ranges::count(hooks, hook.first) == 0; });
  return Trainer(experiment.options().training, std::move(pack), {});
}

void step(benchmark::State& state, const std::string& config, const std::string& override) {
  Trainer training = trainer(config, {override}, {});
  for (int i = 0; i < 3; ++i) training.take_step();
  for (auto _ : state) training.take_step();
}

void evaluation(benchmark::State& state, const std::vector<std::string>& hooks) {
  Trainer training = trainer("nanda2023.yaml",
                             {"training.evaluate_every_steps=20", "hooks.logit_decomposition.every_steps=20",
                              "hooks.logit_bloat.every_steps=20", "hooks.weight_norms.every_steps=20"},
                             hooks);
  for (int i = 0; i < 20; ++i) training.take_step();
  training.evaluate();
  for (auto _ : state) benchmark::DoNotOptimize(training.evaluate());
}

BENCHMARK_CAPTURE(step, transformer_p113, "nanda2023.yaml", "seed=0")->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(step, transformer_p113_four_runs, "nanda2023.yaml", "runs={seed: [0, 1, 2, 3]}")
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK_CAPTURE(step, mlp_p113, "demo.yaml", "runs={seed: [0]}")->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(evaluation, no_hooks, {})->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(evaluation, logit_decomposition, {"logit_decomposition"})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK_CAPTURE(evaluation, logit_bloat, {"logit_bloat"})->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(evaluation, weight_norms, {"weight_norms"})->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace logodds
