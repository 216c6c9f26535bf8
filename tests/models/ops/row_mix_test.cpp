#include "models/ops/row_mix.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "core/seeds.h"

namespace logodds {
namespace {

Tensor random(at::IntArrayRef shape, const char* purpose) {
  auto generator = stream(6, purpose);
  return at::randn(shape, generator, at::kDouble);
}

/// Sizes that are no multiple of any vector length, several column blocks, repeated tokens, terms of different
/// positions that read the same row, a constant row, weights of 1, more terms of a position than are spread at once.
struct Problem {
  int64_t runs = 2, samples = 600;
  Tensor tokens = (random({2, 600, 2}, "tokens").abs() * 100).to(at::kLong).remainder(5);
  Mix mix{.table_RNW = aligned_columns(random({2, 31, 70}, "hidden"), random({2, 31, 21}, "direct")),
          .base_RW = aligned_columns(random({2, 70}, "base"), random({2, 21}, "base direct")),
          .weights_RBC = random({2, 600, 8}, "weights"),
          .terms = {{0, 0, 0},
                    {0, 5, 1},
                    {0, 10, 2},
                    {0, 15, 3},
                    {0, 20, 4},
                    {1, 5, 5},
                    {1, 5, 6},
                    {1, 0, -1},
                    {-1, 30, 7},
                    {-1, 30, -1}}};
};

struct Result {
  Tensor out, table, base, weights;  ///< the last three are gradients
};

Result differentiated(const Tensor& out, const Mix& mix) {
  const Tensor output_weights = random({2, 600, 112}, "output weights").to(out.scalar_type());
  const auto gradients = torch::autograd::grad({out}, {mix.table_RNW, mix.base_RW, mix.weights_RBC}, {output_weights});
  return {out.detach(), gradients[0], gradients[1], gradients[2]};
}

Mix leaves(const Mix& mix, at::ScalarType type) {
  const auto leaf = [&](const Tensor& tensor) { return tensor.to(type).detach().requires_grad_(true); };
  return {leaf(mix.table_RNW), leaf(mix.base_RW), leaf(mix.weights_RBC), mix.terms};
}

using Operator = Tensor (*)(const Mix&, const Tensor&);

Result run(const Problem& problem, at::ScalarType type, Operator mixed = row_mix) {
  const Mix mix = leaves(problem.mix, type);
  return differentiated(mixed(mix, problem.tokens), mix);
}

/// The sum written out, sample by sample, differentiated by LibTorch.
Result expected(const Problem& problem) {
  const Mix mix = leaves(problem.mix, at::kDouble);
  std::vector<Tensor> runs;
  for (int64_t r = 0; r < problem.runs; ++r) {
    std::vector<Tensor> samples;
    for (int64_t b = 0; b < problem.samples; ++b) {
      Tensor sum = mix.base_RW[r];
      for (const auto& term : mix.terms) {
        const int64_t token = term.position < 0 ? 0 : problem.tokens[r][b][term.position].item<int64_t>();
        const Tensor row = mix.table_RNW[r][term.first_row + token];
        sum = sum + (term.weight < 0 ? row : row * mix.weights_RBC[r][b][term.weight]);
      }
      samples.push_back(sum);
    }
    runs.push_back(at::stack(samples));
  }
  return differentiated(at::stack(runs), mix);
}

void expect_close(const Result& a, const Result& b, double tolerance) {
  EXPECT_LT((a.out - b.out).abs().max().item<double>(), tolerance);
  EXPECT_LT((a.table - b.table).abs().max().item<double>(), tolerance);
  EXPECT_LT((a.base - b.base).abs().max().item<double>(), tolerance);
  EXPECT_LT((a.weights - b.weights).abs().max().item<double>(), tolerance);
}

TEST(RowMix, EqualsTheSumWrittenOutAndItsGradients) {
  const Problem problem;
  expect_close(run(problem, at::kDouble), expected(problem), 1e-11);
  expect_close(run(problem, at::kFloat), expected(problem), 2e-3);
}

TEST(RowMix, TheLoopsThatAGpuRunsEqualTheSumWrittenOutAndItsGradients) {
  const Problem problem;
  expect_close(run(problem, at::kDouble, row_mix_by_loops), expected(problem), 1e-11);
  expect_close(run(problem, at::kFloat, row_mix_by_loops), expected(problem), 2e-3);
}

TEST(RowMix, TheLoopsThatAGpuRunsTakeMoreTermsThanAKernelIsHanded) {
  Problem problem;
  const std::vector<MixTerm> ten = problem.mix.terms;
  for (int i = 0; i < 13; ++i) problem.mix.terms.insert(problem.mix.terms.end(), ten.begin(), ten.end());
  expect_close(run(problem, at::kDouble, row_mix_by_loops), run(problem, at::kDouble), 1e-10);
}

TEST(RowMix, TheLoopsThatAGpuRunsNeedNeitherBaseNorWeights) {
  const Problem problem;
  const Tensor table = problem.mix.table_RNW.clone().requires_grad_(true);
  const Mix mix{table, {}, {}, {{0, 0, -1}, {1, 7, -1}}};
  const Tensor loops = row_mix_by_loops(mix, problem.tokens), vectorised = row_mix(mix, problem.tokens);
  EXPECT_LT((loops - vectorised).abs().max().item<double>(), 1e-14);
  const auto gradient = [&](const Tensor& out) { return torch::autograd::grad({out}, {table}, {out.detach()})[0]; };
  EXPECT_LT((gradient(loops) - gradient(vectorised)).abs().max().item<double>(), 1e-11);
}

TEST(RowMix, TheBitsDoNotDependOnTheNumberOfThreads) {
  const Problem problem;
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const Result one = run(problem, at::kFloat);
  at::set_num_threads(3);
  const Result three = run(problem, at::kFloat);
  at::set_num_threads(threads);
  expect_close(one, three, std::numeric_limits<double>::denorm_min());
}

}  // namespace
}  // namespace logodds
