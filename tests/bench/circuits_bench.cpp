// What looking at circuits costs: the decomposition hook as a share of training at its default interval, and all parts
// of all inputs of a + b mod 113.

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <benchmark/benchmark.h>

#include <chrono>

#include "core/log_odds.h"
#include "experiments/experiment.h"
#include "models/circuits/circuits.h"
#include "training/hooks/logit_decomposition.h"

namespace logodds {
namespace {

double seconds(const std::function<void()>& work, int times) {
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < times; ++i) work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() / times;
}

/// One observation of the hook on the published transformer; the counter is its share of the training time.
void hook_share(benchmark::State& state, const std::string& basis) {
  LogitDecomposition::Options options;
  options.basis.select(basis);
  const Experiment experiment = Experiment::from_file(std::string(LOGODDS_CONFIGS) + "/nanda2023.yaml");
  Pack pack = experiment.assemble();
  pack.hooks.clear();
  const Dataset data = pack.data;
  Trainer training(experiment.options().training, std::move(pack), {});
  for (int i = 0; i < 5; ++i) training.take_step();
  const double step = seconds([&] { training.take_step(); }, 20);
  const at::NoGradGuard no_grad;
  const Parameters one = training.pack().parameters.select(0);
  const Model& model = *training.pack().model;
  const Snapshot snapshot{.step = 0,
                          .run = 0,
                          .model = model,
                          .parameters = one,
                          .inputs_NT = data.inputs[0],
                          .logits_NV = model.logits(one, data.inputs)[0],
                          .targets_N = data.targets_RN[0],
                          .train_B = data.train_RB[0],
                          .test_B = data.test_RB[0]};
  LogitDecomposition hook(options);
  double total = 0;
  for (auto _ : state) {
    total += seconds(
        [&] {
          Row row;
          hook.observe(snapshot, row);
        },
        1);
  }
  const double interval = step * static_cast<double>(options.every_steps);
  state.counters["percent_of_training"] = 100 * total / static_cast<double>(state.iterations()) / interval;
}

/// Every part of a decomposition on all 12769 inputs, one after the other, in float64.
void all_parts(benchmark::State& state, const std::string& decomposition) {
  const Experiment experiment = Experiment::from_file(std::string(LOGODDS_CONFIGS) + "/nanda2023.yaml");
  const Pack pack = experiment.assemble();
  const at::NoGradGuard no_grad;
  const Parameters one = pack.parameters.to(at::kDouble);
  for (auto _ : state) {
    const Tensor logits = pack.model->logits(one, pack.data.inputs)[0];
    const auto circuits = Selection(decompositions(), decomposition)
                              .make<Circuits>(Observed{*pack.model, one, pack.data.inputs[0], logits});
    for (int64_t p = 0; p < circuits->size(); ++p) benchmark::DoNotOptimize(circuits->part(p).data_ptr());
  }
}

BENCHMARK_CAPTURE(hook_share, output_frequency, "output_frequency")->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(hook_share, neuron_clusters, "neuron_clusters")->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(all_parts, output_frequency, "output_frequency")->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(all_parts, neuron_clusters, "neuron_clusters")->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(all_parts, residual_paths, "residual_paths")->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(all_parts, svd, "svd")->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace logodds
