#include "models/circuits/measures/symmetry.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <cmath>

#include "core/seeds.h"

namespace logodds {

double gradient_symmetricity(const Observed& observed, int64_t seed) {
  constexpr const char* kEmbedding = "embed.W_E";
  if (std::ranges::count(observed.parameters.specs(), kEmbedding, &ParameterSpec::name) == 0) return std::nan("");
  Parameters parameters = observed.parameters.to(at::kDouble);
  parameters.set_requires_grad(true);
  const Tensor W_E = parameters[kEmbedding];
  const int64_t tokens = observed.inputs_BT.max().item<int64_t>() + 1, classes = observed.logits_BV.size(1);
  auto generator = stream(seed, "gradient symmetricity");
  const auto below = [&](int64_t limit) { return at::randint(limit, {1}, generator, at::kLong).item<int64_t>(); };
  const at::AutoGradMode with_grad(true);
  constexpr int kTriples = 100;
  double sum = 0;
  for (int triple = 0; triple < kTriples; ++triple) {
    const int64_t a = below(tokens), b = (a + 1 + below(tokens - 1)) % tokens, c = below(classes);
    const Tensor inputs = at::tensor({a, b}, at::kLong).view({1, 1, 2});
    const Tensor logit = observed.model.untraced(parameters, inputs)[0][0][c];
    const Tensor gradient = torch::autograd::grad({logit}, {W_E})[0][0];  // [p,D], or [T,p,D] for separate tables
    const bool separate = gradient.dim() == 3;
    const Tensor of_a = separate ? gradient[0][a] : gradient[a], of_b = separate ? gradient[1][b] : gradient[b];
    sum += ((of_a * of_b).sum() / (of_a.norm() * of_b.norm()).clamp_min(1e-300)).item<double>();
  }
  return sum / kTriples;
}

double distance_irrelevance(const Tensor& x_B, int64_t p) {
  const Tensor i = at::arange(p).unsqueeze(1), d = at::arange(p).unsqueeze(0);
  const Tensor x_id = x_B.to(at::kDouble).index_select(0, (i * p + (i + d).remainder(p)).flatten()).view({p, p});
  return (x_id.std(0, false).mean() / x_B.to(at::kDouble).std(false)).item<double>();
}

}  // namespace logodds
