#include "training/tasks/modular_addition.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "core/error.h"
#include "core/seeds.h"

namespace logodds {

void ModularAddition::Options::fields(Fields& fields) {
  fields.integer({"p", "modulus; number of tokens and of classes"}, p, between(2, 512));
  fields.choice({"operation", "what is computed modulo p"}, operation,
                {"add", "subtract", "multiply", "divide", "x2_xy_y2", "random"});
  fields.real({"train_fraction", "share of the pairs that is trained on"}, train_fraction,
              {.low = 0, .high = 1, .open_low = true});
}

namespace {

bool is_prime(int64_t p) {
  for (int64_t d = 2; d * d <= p; ++d) {
    if (p % d == 0) return false;
  }
  return p >= 2;
}

}  // namespace

ModularAddition::ModularAddition(const Options& options) : options_(options) {
  if (options_.operation == "divide" && !is_prime(options_.p)) {
    throw Error("division needs a prime 'p', and " + std::to_string(options_.p) + " is not one");
  }
  if (static_cast<int64_t>(options_.train_fraction * static_cast<double>(pair_count())) < 1) {
    throw Error("'train_fraction' leaves no training pair of " + std::to_string(pair_count()));
  }
}

int64_t ModularAddition::pair_count() const {
  return options_.p * (options_.operation == "divide" ? options_.p - 1 : options_.p);
}

Tensor ModularAddition::targets(const Tensor& a, const Tensor& b, int64_t seed) const {
  const int64_t p = options_.p;
  if (options_.operation == "add") return (a + b).remainder(p);
  if (options_.operation == "subtract") return (a - b).remainder(p);
  if (options_.operation == "multiply") return (a * b).remainder(p);
  if (options_.operation == "x2_xy_y2") return (a * a + a * b + b * b).remainder(p);
  if (options_.operation == "random") {
    auto generator = stream(seed, "random operation");
    return at::randint(p, a.sizes(), generator, at::TensorOptions().dtype(at::kLong));
  }
  Tensor inverse = at::ones_like(b);  // b^(p-2) by Fermat
  for (int64_t i = 0; i < p - 2; ++i) inverse = (inverse * b).remainder(p);
  return (a * inverse).remainder(p);
}

Dataset ModularAddition::make(const std::vector<int64_t>& seeds) const {
  const int64_t p = options_.p, first_b = options_.operation == "divide" ? 1 : 0;
  const Tensor a = at::arange(p, at::kLong).repeat_interleave(p - first_b);
  const Tensor b = at::arange(first_b, p, at::kLong).repeat({p});
  const auto runs = static_cast<int64_t>(seeds.size());
  const auto train_count = static_cast<int64_t>(options_.train_fraction * static_cast<double>(pair_count()));
  // Training pairs are ordered by blocks of 16 a's and 16 b's: neighbours read the same few rows of a model's tables.
  const int64_t blocks = std::max<int64_t>(1, p / 16);
  const auto block = [&](const Tensor& x) { return (x * blocks).div(p, "floor"); };
  const Tensor rank = (block(a) * blocks + block(b)) * pair_count() + at::arange(pair_count(), at::kLong);
  std::vector<Tensor> labels, train, test;
  for (const int64_t seed : seeds) {
    auto generator = stream(seed, "split");
    const Tensor order = at::randperm(pair_count(), generator, at::TensorOptions().dtype(at::kLong));
    labels.push_back(targets(a, b, seed));
    const Tensor chosen = order.narrow(0, 0, train_count);
    train.push_back(chosen.index_select(0, rank.index_select(0, chosen).argsort()));
    test.push_back(order.narrow(0, train_count, pair_count() - train_count));
  }
  return {.inputs = at::stack({a, b}, -1).unsqueeze(0).expand({runs, -1, -1}),
          .targets_RN = at::stack(labels),
          .train_RB = at::stack(train),
          .test_RB = at::stack(test)};
}

int64_t ModularAddition::find(const std::vector<int64_t>& input) const {
  const int64_t p = options_.p, first_b = options_.operation == "divide" ? 1 : 0;
  if (input.size() != 2) throw Error("an input of modular addition is two numbers a,b");
  if (input[0] < 0 || input[0] >= p || input[1] < first_b || input[1] >= p) {
    throw Error("the input " + std::to_string(input[0]) + "," + std::to_string(input[1]) +
                " is out of range: a is 0 to " + std::to_string(p - 1) + ", b is " + std::to_string(first_b) + " to " +
                std::to_string(p - 1));
  }
  return input[0] * (p - first_b) + input[1] - first_b;
}

std::string ModularAddition::describe(const std::vector<int64_t>& input) const {
  const std::string a = std::to_string(input.at(0)), b = std::to_string(input.at(1)),
                    mod = " mod " + std::to_string(options_.p);
  if (options_.operation == "add") return a + " + " + b + mod;
  if (options_.operation == "subtract") return a + " - " + b + mod;
  if (options_.operation == "multiply") return a + " × " + b + mod;
  if (options_.operation == "divide") return a + " / " + b + mod;
  if (options_.operation == "x2_xy_y2") return a + "² + " + a + "·" + b + " + " + b + "²" + mod;
  return a + " ∘ " + b + " (random table)";
}

}  // namespace logodds
