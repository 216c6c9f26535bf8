#include "training/tasks/modular_addition.h"

#include <ATen/ATen.h>

#include "core/error.h"
#include "core/seeds.h"

namespace logodds {

void ModularAddition::Options::fields(Fields& fields) {
  fields.integer({"p", "modulus; number of tokens and of classes"}, p, between(2, 512));
  fields.choice({"operation", "what is computed modulo p"}, operation,
                {"add", "subtract", "multiply", "divide", "x2_xy_y2", "random"});
  pair_fields(fields, train_fraction, random_labels);
}

namespace {

bool is_prime(int64_t p) {
  for (int64_t d = 2; d * d <= p; ++d) {
    if (p % d == 0) return false;
  }
  return p >= 2;
}

}  // namespace

ModularAddition::ModularAddition(const Options& options)
    : PairTask(options.train_fraction, options.random_labels, options.p, options.operation == "divide" ? 1 : 0),
      options_(options),
      group_(named_group("Z" + std::to_string(options.p))) {
  if (options_.operation == "divide" && !is_prime(options_.p)) {
    throw Error("division needs a prime 'p', and " + std::to_string(options_.p) + " is not one");
  }
}

Tensor ModularAddition::classes(const Tensor& a, const Tensor& b, int64_t seed) const {
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
