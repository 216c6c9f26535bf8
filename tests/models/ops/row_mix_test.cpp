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

/// Sizes that are no multiple of any vector length, several column blocks, repeated tokens, a constant row, a weight
/// of 1.
struct Problem {
  int64_t runs = 2, samples = 600, hidden = 70, direct = 21;
  std::vector<MixTerm> terms{{0, 0, 0}, {1, 5, 1}, {1, 0, 2}, {-1, 10, -1}};
  Tensor tokens = (random({2, 600, 2}, "tokens").abs() * 100).to(at::kLong).remainder(5);
  Tensor table = mix_columns(random({2, 11, 70}, "hidden"), random({2, 11, 21}, "direct"));
  Tensor weights = random({2, 600, 3}, "weights");
};

struct Result {
  Tensor hidden, direct, table_gradient, weight_gradient;
};

Result run(const Problem& problem, bool relu, at::ScalarType type) {
  const Tensor table = problem.table.to(type).detach().requires_grad_(true);
  const Tensor weights = problem.weights.to(type).detach().requires_grad_(true);
  const Mixed mixed = row_mix(table, problem.tokens, problem.terms, weights, problem.hidden, problem.direct, relu);
  const auto gradients = torch::autograd::grad(
      {mixed.hidden_RBM, mixed.direct_RBV}, {table, weights},
      {random({2, 600, 70}, "hidden gradient").to(type), random({2, 600, 21}, "direct gradient").to(type)});
  return {mixed.hidden_RBM.detach(), mixed.direct_RBV.detach(), gradients[0], gradients[1]};
}

/// The sum written out, sample by sample, differentiated by LibTorch.
Result expected(const Problem& problem, bool relu) {
  const Tensor table = problem.table.detach().requires_grad_(true),
               weights = problem.weights.detach().requires_grad_(true);
  std::vector<Tensor> runs;
  for (int64_t r = 0; r < problem.runs; ++r) {
    std::vector<Tensor> samples;
    for (int64_t b = 0; b < problem.samples; ++b) {
      Tensor sum = at::zeros({table.size(2)}, at::kDouble);
      for (const auto& term : problem.terms) {
        const int64_t row =
            term.first_row + (term.position < 0 ? 0 : problem.tokens[r][b][term.position].item<int64_t>());
        sum = sum + (term.weight < 0 ? table[r][row] : table[r][row] * weights[r][b][term.weight]);
      }
      samples.push_back(sum);
    }
    runs.push_back(at::stack(samples));
  }
  const Tensor pre = at::stack(runs);
  const Tensor hidden = relu ? pre.narrow(2, 0, 70).relu() : pre.narrow(2, 0, 70), direct = pre.narrow(2, 80, 21);
  const auto gradients =
      torch::autograd::grad({hidden, direct}, {table, weights},
                            {random({2, 600, 70}, "hidden gradient"), random({2, 600, 21}, "direct gradient")});
  return {hidden.detach(), direct.detach(), gradients[0], gradients[1]};
}

void expect_close(const Result& a, const Result& b, double tolerance) {
  EXPECT_LT((a.hidden - b.hidden).abs().max().item<double>(), tolerance);
  EXPECT_LT((a.direct - b.direct).abs().max().item<double>(), tolerance);
  EXPECT_LT((a.table_gradient - b.table_gradient).abs().max().item<double>(), tolerance);
  EXPECT_LT((a.weight_gradient - b.weight_gradient).abs().max().item<double>(), tolerance);
}

TEST(RowMix, EqualsTheSumWrittenOutAndItsGradients) {
  const Problem problem;
  for (const bool relu : {true, false}) {
    expect_close(run(problem, relu, at::kDouble), expected(problem, relu), 1e-12);
    expect_close(run(problem, relu, at::kFloat), expected(problem, relu), 1e-4);
  }
}

TEST(RowMix, TheBitsDoNotDependOnTheNumberOfThreads) {
  const Problem problem;
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const Result one = run(problem, true, at::kFloat);
  at::set_num_threads(3);
  const Result three = run(problem, true, at::kFloat);
  at::set_num_threads(threads);
  expect_close(one, three, std::numeric_limits<double>::denorm_min());
}

TEST(RowMix, PaddingColumnsGetNoGradient) {
  const Tensor gradient = run(Problem(), true, at::kDouble).table_gradient;
  EXPECT_EQ(gradient.narrow(2, 70, 10).abs().max().item<double>(), 0);
  EXPECT_EQ(gradient.narrow(2, 101, 11).abs().max().item<double>(), 0);
}

}  // namespace
}  // namespace logodds
