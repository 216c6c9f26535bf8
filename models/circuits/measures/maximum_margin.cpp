#include "models/circuits/measures/maximum_margin.h"

#include <ATen/ATen.h>

#include <cmath>

#include "core/log_odds.h"
#include "models/circuits/grid.h"

namespace logodds {

std::optional<double> maximum_margin_ratio(const Observed& observed, const Tensor& targets_B) {
  const auto& specs = observed.parameters.specs();
  const int64_t p = grid_modulus(observed.inputs_BT);
  const bool two_matrices = specs.size() == 2 && specs[0].name == "blocks.0.mlp.W_in" && specs[1].name == "unembed.W_U";
  if (p == 0 || !two_matrices || specs[0].shape[0] != 2 * p || observed.logits_BV.size(1) != p) return std::nullopt;
  const LogitPaths paths = observed.model.paths(observed.parameters, observed.inputs_BT);
  if (!at::allclose(paths.paths[paths.neurons].source, paths.pre_BM.square())) return std::nullopt;
  const Tensor u_v = observed.parameters["blocks.0.mlp.W_in"][0].to(at::kDouble);
  const Tensor w = observed.parameters["unembed.W_U"][0].to(at::kDouble);
  const double norm3 = (u_v.square().sum(0) + w.square().sum(1)).pow(1.5).sum().item<double>();
  const double smallest = margin(observed.logits_BV, targets_B).min().item<double>();
  const auto modulus = static_cast<double>(p);
  return smallest / norm3 * std::sqrt(modulus) * (modulus - 1) / std::sqrt(2.0 / 27);
}

}  // namespace logodds
