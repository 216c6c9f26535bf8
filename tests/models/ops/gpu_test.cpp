// The operators on a GPU against the CPU's.

#include "tests/gpu.h"

#include <torch/csrc/autograd/autograd.h>

#include "core/log_odds.h"
#include "core/seeds.h"
#include "models/ops/attention_pattern.h"
#include "models/ops/row_mix.h"

namespace logodds {
namespace {

Tensor random(at::IntArrayRef shape, const char* purpose) {
  auto generator = stream(6, purpose);
  return at::randn(shape, generator, at::kDouble);
}

Tensor tokens() { return (random({3, 500, 2}, "tokens").abs() * 100).to(at::kLong).remainder(13); }

/// An operator's output and the gradients of its inputs.
std::vector<Tensor> results(const Tensor& out, const std::vector<Tensor>& inputs) {
  std::vector<Tensor> all{out};
  const Tensor weights = random(out.sizes(), "output weights").to(out.options());
  for (const auto& gradient : torch::autograd::grad({out}, inputs, {weights})) all.push_back(gradient);
  return all;
}

void expect_close(const std::vector<Tensor>& gpu, const std::vector<Tensor>& cpu, double tolerance) {
  ASSERT_EQ(gpu.size(), cpu.size());
  for (size_t i = 0; i < gpu.size(); ++i) {
    EXPECT_TRUE(gpu[i].is_cuda());
    EXPECT_LT(largest_difference(gpu[i], cpu[i]), tolerance * cpu[i].abs().max().item<double>()) << "result " << i;
  }
}

std::vector<Tensor> mixed(at::Device device, at::ScalarType type) {
  const auto leaf = [&](at::IntArrayRef shape, const char* name) {
    return random(shape, name).to(device, type).requires_grad_(true);
  };
  const Mix mix{leaf({3, 60, 160}, "table"),
                leaf({3, 160}, "base"),
                leaf({3, 500, 3}, "weights"),
                {{0, 0, 0}, {1, 13, 1}, {1, 26, 2}, {0, 13, -1}, {-1, 59, 2}}};
  return results(row_mix(mix, tokens().to(device)), {mix.table_RNW, mix.base_RW, mix.weights_RBC});
}

TEST_F(Gpu, RowMixEqualsTheCpus) {
  expect_close(mixed(at::kCUDA, at::kDouble), mixed(at::kCPU, at::kDouble), 1e-13);
  expect_close(mixed(at::kCUDA, at::kFloat), mixed(at::kCPU, at::kFloat), 1e-5);
}

TEST_F(Gpu, RowMixGivesTheSameBitsEveryTime) {
  const auto first = mixed(at::kCUDA, at::kFloat), second = mixed(at::kCUDA, at::kFloat);
  for (size_t i = 0; i < first.size(); ++i) EXPECT_TRUE(first[i].equal(second[i])) << "result " << i;
}

std::vector<Tensor> patterns(at::Device device, at::ScalarType type) {
  const Tensor scores = random({3, 26, 5}, "scores").to(device, type), inputs = tokens().to(device);
  const AttentionPattern pattern{
      {{.strides = {1, 0}}, {.first = 13, .strides = {0, 1}}, {.zero = true}}, /*kept=*/2, /*alpha=*/0.7};
  const auto value = pattern(scores, inputs);
  const Tensor gradient = random({3, 500, 10}, "output weights").to(device, type);
  return {value.weights, value.softmax, pattern.gradient(value.softmax, inputs, gradient, 26)};
}

TEST_F(Gpu, AttentionPatternEqualsTheCpus) {
  expect_close(patterns(at::kCUDA, at::kDouble), patterns(at::kCPU, at::kDouble), 1e-13);
  expect_close(patterns(at::kCUDA, at::kFloat), patterns(at::kCPU, at::kFloat), 1e-5);
}

TEST_F(Gpu, CrossEntropyEqualsTheCpus) {
  for (const auto type : {at::kFloat, at::kDouble}) {
    const Tensor logits = (random({3, 200, 113}, "logits") * 20).to(type), targets = at::arange(600).remainder(113);
    const auto cpu = cross_entropy_with_gradient(logits, targets.view({3, 200}));
    const auto gpu = cross_entropy_with_gradient(logits.to(at::kCUDA), targets.view({3, 200}).to(at::kCUDA));
    EXPECT_LT(((gpu.loss.cpu() - cpu.loss) / cpu.loss).abs().max().item<double>(), 1e-12);
    EXPECT_LT(largest_difference(gpu.gradient, cpu.gradient), type == at::kFloat ? 1e-7 : 1e-15);
  }
}

}  // namespace
}  // namespace logodds
