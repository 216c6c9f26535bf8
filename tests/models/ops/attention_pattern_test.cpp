#include "models/ops/attention_pattern.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "core/seeds.h"

namespace logodds {
namespace {

Tensor random(at::IntArrayRef shape, const char* purpose) {
  auto generator = stream(6, purpose);
  return at::randn(shape, generator, at::kDouble);
}

const Tensor kTokens = (random({2, 90, 2}, "tokens").abs() * 100).to(at::kLong).remainder(5);

/// As the transformer asks for it: with "=" that scores 0 and is not kept; and with a score per pair of tokens.
struct Shape {
  const char* name;
  int64_t table_rows;
  std::vector<ScoreRow> rows;
};
const std::vector<Shape> kShapes{
    {"with =", 10, {{.strides = {1, 0}}, {.first = 5, .strides = {0, 1}}, {.zero = true}}},
    {"pairs", 30, {{.strides = {1, 5}}, {.first = 25, .strides = {0, 1}}}},
};

Tensor scores_of(const Shape& shape) { return random({2, shape.table_rows, 3}, "scores") * 4; }

/// The definition in LibTorch's operators.
Tensor definition(const Tensor& scores_RNH, const Shape& shape, int64_t kept, double alpha) {
  std::vector<Tensor> runs;
  for (int64_t r = 0; r < 2; ++r) {
    std::vector<Tensor> columns;
    for (const auto& row : shape.rows) {
      Tensor index = at::full({90}, row.first, at::kLong);
      for (size_t t = 0; t < row.strides.size(); ++t)
        index = index + row.strides[t] * kTokens[r].select(1, static_cast<int64_t>(t));
      columns.push_back(row.zero ? at::zeros_like(columns[0]) : scores_RNH[r].index_select(0, index));
    }
    runs.push_back((alpha * at::stack(columns, -1).softmax(-1).narrow(-1, 0, kept) + 1 - alpha).flatten(1));
  }
  return at::stack(runs);
}

/// Weights and gradient of the scores.
using Result = std::pair<Tensor, Tensor>;

Tensor output_weights() { return random({2, 90, 6}, "output weights"); }

Result expected(const Shape& shape) {
  const Tensor scores = scores_of(shape).requires_grad_(true), out = definition(scores, shape, 2, 0.7);
  return {out.detach(), torch::autograd::grad({out}, {scores}, {output_weights()})[0]};
}

Result computed(const Shape& shape, at::ScalarType type, bool loops) {
  const AttentionPattern pattern{shape.rows, 2, 0.7};
  const Tensor scores = scores_of(shape).to(type), gradient = output_weights().to(type);
  const auto value = loops ? pattern.by_loops(scores, kTokens) : pattern(scores, kTokens);
  return {value.weights, loops ? pattern.gradient_by_loops(value.softmax, kTokens, gradient, shape.table_rows)
                               : pattern.gradient(value.softmax, kTokens, gradient, shape.table_rows)};
}

void expect_equals_definition(bool loops) {
  for (const auto& shape : kShapes) {
    for (const auto& [type, tolerance] : {std::pair(at::kDouble, 1e-14), std::pair(at::kFloat, 1e-6)}) {
      const Result actual = computed(shape, type, loops), exact = expected(shape);
      EXPECT_LT((actual.first - exact.first).abs().max().item<double>(), tolerance) << shape.name;
      EXPECT_LT((actual.second - exact.second).abs().max().item<double>(), 10 * tolerance) << shape.name;
    }
  }
}

TEST(AttentionPattern, EqualsItsDefinitionAndGradient) { expect_equals_definition(/*loops=*/false); }

TEST(AttentionPattern, StaysExactWhereScoresLieTooFarApartForOneScale) {
  for (const double spread : {100.0, 300.0, 3000.0}) {
    const Shape& shape = kShapes[0];
    const Tensor scores = random({2, shape.table_rows, 3}, "scores") * spread;
    const AttentionPattern pattern{shape.rows, 2, 0.7};
    const Tensor weights = pattern(scores, kTokens).weights, expected = definition(scores, shape, 2, 0.7);
    EXPECT_LE((weights - expected).abs().max().item<double>(), 1e-14) << spread;
  }
}

TEST(AttentionPattern, TheLoopsThatAGpuRunsEqualItsDefinitionAndGradient) { expect_equals_definition(/*loops=*/true); }

}  // namespace
}  // namespace logodds
