#include "models/ops/product.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>

#include "core/seeds.h"
#include "models/ops/together.h"

namespace logodds {
namespace {

Tensor random(at::IntArrayRef shape, const char* purpose) {
  auto generator = stream(7, purpose);
  return at::randn(shape, generator, at::kDouble);
}

struct Shape {
  int64_t N, K, M;
};
// Rows that fill no block, sums longer than one of the kernels', results of whole vectors and others.
const std::vector<Shape> kShapes{{1, 1, 16}, {7, 300, 32}, {226, 32, 48}, {5, 3, 7}, {13, 129, 30}};

double error(const Tensor& x, const Tensor& expected) {
  return ((x.to(at::kDouble) - expected).norm() / expected.norm()).item<double>();
}

TEST(Product, EqualsLibTorchsForEveryLayout) {
  for (const auto& [N, K, M] : kShapes) {
    for (const bool a_transposed : {false, true}) {
      for (const bool b_transposed : {false, true}) {
        for (const auto type : {at::kFloat, at::kDouble}) {
          const Tensor a = a_transposed ? random({2, K, N}, "a").transpose(1, 2) : random({2, N, K}, "a");
          const Tensor b = b_transposed ? random({2, M, K}, "b").transpose(1, 2) : random({2, K, M}, "b");
          EXPECT_LE(error(product(a.to(type), b.to(type)), at::bmm(a, b)), type == at::kFloat ? 1e-6 : 1e-14)
              << N << " x " << K << " x " << M << ", " << a_transposed << b_transposed << ", " << type;
        }
      }
    }
  }
}

TEST(Product, AddsWhereItIsAskedTo) {
  const Tensor a = random({1, 9, 20}, "a"), b = random({1, 20, 32}, "b"), c = random({1, 9, 32}, "c");
  for (const Tensor& left : {a, a.transpose(1, 2).contiguous().transpose(1, 2)}) {
    const Tensor result = c.clone();
    put_product(result, left, b, /*add=*/true);
    EXPECT_LE(error(result, c + at::bmm(a, b)), 1e-14);
  }
}

TEST(Product, LeavesWhatStandsBesideAPartOfALargerTensor) {
  const Tensor a = random({2, 9, 20}, "a"), b = random({2, 20, 16}, "b");
  for (const int64_t first : {0, 16, 5}) {
    const Tensor whole = at::full({2, 9, 64}, 3.0, at::kDouble);
    put_product(whole.narrow(2, first, 16), a, b);
    EXPECT_LE(error(whole.narrow(2, first, 16), at::bmm(a, b)), 1e-14);
    whole.narrow(2, first, 16).fill_(3.0);
    EXPECT_TRUE((whole == 3.0).all().item<bool>());
  }
}

TEST(Together, DoesEveryPieceOnceAndPassesAFailureOn) {
  const Tensor cpu = at::zeros({1});
  std::atomic<int> sum{0};
  std::vector<std::function<void()>> pieces;
  for (int i = 0; i < 50; ++i) pieces.emplace_back([&sum, i] { sum += i; });
  together(cpu, pieces);
  EXPECT_EQ(sum, 49 * 50 / 2);
  pieces.emplace_back([] { throw std::runtime_error("broken"); });
  EXPECT_THROW(together(cpu, pieces), std::runtime_error);
  together(cpu, {});
}

}  // namespace
}  // namespace logodds
