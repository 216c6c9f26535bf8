#include "training/learnt.h"

#include <ATen/ATen.h>

#include <cmath>

#include "core/log_odds.h"

namespace logodds {

namespace {

Agreement agreement(const std::string& label, const Tensor& exact, const Tensor& estimate) {
  const double energy = exact.square().sum().item<double>();
  if (energy == 0) return {label, std::nan(""), std::nan("")};
  return {label, 1 - (exact - estimate).square().sum().item<double>() / energy,
          (exact * estimate).sum().item<double>() / energy};
}

Tensor from_mean(const Tensor& evidence_NV) { return evidence_NV - evidence_NV.mean(0, /*keepdim=*/true); }

}  // namespace

Learnt learnt(const World& world, const Tensor& inputs_NF, const Tensor& logits_NV, const Circuits* parts) {
  Learnt result{agreement("sum", world.posterior(inputs_NF), centred(logits_NV.to(at::kDouble))), {}};
  for (int64_t i = 0; parts != nullptr && i < world.shown(); ++i) {
    const std::string label = "feature " + std::to_string(i + 1);
    const Tensor part = parts->part(parts->find({label}).front());
    result.features.push_back(agreement(label, from_mean(world.feature_log_odds(i, inputs_NF)), from_mean(part)));
  }
  return result;
}

}  // namespace logodds
