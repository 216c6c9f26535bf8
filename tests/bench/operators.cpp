// Times the operators of a training step on the shapes of experiments/configs/nanda2023.yaml, on one thread and tile by
// tile as the step calls them. `of_peak` is the fraction of the fused multiply-adds that one core does at most,
// measured beside it.

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <benchmark/benchmark.h>

#include "core/log_odds_kernel.h"
#include "experiments/experiment.h"
#include "models/ops/batched.h"
#include "models/ops/tile_kernel.h"

namespace logodds {
namespace {

constexpr int64_t kTile = kTileSamples;

/// A pack of one run of nanda2023.yaml on one thread, and its network folded.
struct Step {
  Step() : pack(experiment().assemble()) {
    tokens = lookup(pack.data.inputs, pack.data.train_RB).contiguous();
    targets = pack.data.targets_RN.gather(1, pack.data.train_RB).contiguous();
    folded = pack.model->fold(pack.parameters, tokens, /*gauge=*/true);
    mix = mix_of_run<float>(folded->mix, tokens, 0);
  }
  static Experiment experiment() {
    return Experiment::from_file(std::string(LOGODDS_CONFIGS) + "/nanda2023.yaml", {"threads=1"});
  }
  int64_t samples() const { return targets.size(1); }
  Pack pack;
  Tensor tokens, targets;
  std::optional<Folded> folded;
  RowMix<float> mix{};
};

/// Multiplications and additions per second of one core at most.
double peak() {
  int64_t operations = 0;
  const auto start = std::chrono::steady_clock::now();
  benchmark::DoNotOptimize(tile_kernels<float>().peak(4'000'000, &operations));
  return static_cast<double>(operations) /
         std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Times `work`, which does `flop` multiplications and additions.
template <class Work>
void time(benchmark::State& state, double flop, const Work& work) {
  work();
  const double at_most = peak();
  for (auto _ : state) work();
  using benchmark::Counter;
  state.counters["flop_per_s"] = Counter(flop, Counter::kIsIterationInvariantRate);
  state.counters["of_peak"] = Counter(flop / at_most, Counter::kIsIterationInvariantRate);
}

void row_mix_forward(benchmark::State& state) {
  const Step step;
  const int64_t width = step.mix.width;
  std::vector<float> out(static_cast<size_t>(kTile * width));
  time(state, 2.0 * static_cast<double>(step.samples() * step.mix.term_count * width), [&] {
    for (int64_t first = 0; first < step.samples(); first += kTile) {
      row_mix_kernels<float>().forward(step.mix.from(first), std::min(kTile, step.samples() - first), 0, width, 0,
                                       out.data(), width);
    }
  });
}

void row_mix_backward(benchmark::State& state) {
  const Step step;
  const int64_t width = step.mix.width;
  const Tensor gradient = at::randn({kTile, width}), table = at::zeros_like(step.folded->mix.table_RNW),
               base = at::zeros({width}), weights = at::zeros_like(step.folded->mix.weights_RBC);
  time(state, 4.0 * static_cast<double>(step.samples() * step.mix.term_count * width), [&] {
    for (int64_t first = 0; first < step.samples(); first += kTile) {
      row_mix_kernels<float>().backward(step.mix.from(first), std::min(kTile, step.samples() - first), 0, width,
                                        gradient.const_data_ptr<float>(), width, table.mutable_data_ptr<float>(),
                                        nullptr, base.mutable_data_ptr<float>(),
                                        weights.mutable_data_ptr<float>() + first * step.mix.weight_count);
    }
  });
}

/// [kTile, k] times [k, n].
void tile_product(benchmark::State& state, int64_t k, int64_t n) {
  const auto& kernels = tile_kernels<float>();
  const Tensor a = at::randn({kTile, k}), w = at::randn({k, n}), c = at::zeros({kTile, aligned(n)}),
               packed = at::zeros({kernels.packed_size(k, n)});
  kernels.pack(w.const_data_ptr<float>(), k, n, n, 1, packed.mutable_data_ptr<float>());
  time(state, 2.0 * static_cast<double>(kTile * k * n), [&] {
    kernels.multiply(kTile, n, k, a.const_data_ptr<float>(), k, packed.const_data_ptr<float>(),
                     c.mutable_data_ptr<float>(), aligned(n), {});
    benchmark::ClobberMemory();
  });
}

/// [m, kTile] times [kTile, n], added.
void tile_transposed_product(benchmark::State& state, int64_t m, int64_t n) {
  const Tensor a = at::randn({kTile, m}), b = at::randn({kTile, n}), c = at::zeros({m, aligned(n)});
  time(state, 2.0 * static_cast<double>(kTile * m * n), [&] {
    tile_kernels<float>().multiply_transposed(m, n, kTile, a.const_data_ptr<float>(), m, b.const_data_ptr<float>(), n,
                                              c.mutable_data_ptr<float>(), aligned(n), /*add=*/true);
    benchmark::ClobberMemory();
  });
}

void cross_entropy(benchmark::State& state) {
  const Step step;
  const int64_t classes = step.pack.model->classes();
  const Tensor logits = at::randn({step.samples(), classes}) * 5, gradient = at::zeros_like(logits);
  std::vector<double> losses(static_cast<size_t>(step.samples()));
  for (auto _ : state) {
    cross_entropy_rows(logits.const_data_ptr<float>(), classes, step.targets.const_data_ptr<int64_t>(), step.samples(),
                       classes, 1, losses.data(), gradient.mutable_data_ptr<float>(), classes);
  }
  state.SetItemsProcessed(state.iterations() * step.samples());
}

void adamw(benchmark::State& state) {
  Step step;
  const at::NoGradGuard no_grad;
  step.pack.parameters.flat_gradient().normal_();
  const Tensor factor = at::scalar_tensor(1e-6, at::kDouble);
  for (auto _ : state) step.pack.optimizer->step(step.pack.parameters, factor);
  state.SetItemsProcessed(state.iterations() * step.pack.parameters.count());
}

#define LOGODDS_BENCHMARK(...) __VA_ARGS__->Unit(benchmark::kMillisecond)->UseRealTime()
LOGODDS_BENCHMARK(BENCHMARK(row_mix_forward));
LOGODDS_BENCHMARK(BENCHMARK(row_mix_backward));
LOGODDS_BENCHMARK(BENCHMARK_CAPTURE(tile_product, logits, 512, 112));
LOGODDS_BENCHMARK(BENCHMARK_CAPTURE(tile_product, hidden_gradient, 112, 512));
LOGODDS_BENCHMARK(BENCHMARK_CAPTURE(tile_transposed_product, weight_gradient, 512, 112));
LOGODDS_BENCHMARK(BENCHMARK(cross_entropy));
LOGODDS_BENCHMARK(BENCHMARK(adamw));

}  // namespace
}  // namespace logodds
