#include "training/world.h"

#include <ATen/ATen.h>

#include <cmath>

#include "core/seeds.h"
#include "core/statistics.h"

namespace logodds {

Estimate World::loss(double scale) const {
  constexpr int64_t kBatches = 8, kBatch = 1 << 14;
  auto generator = stream(0, "Monte Carlo of the Bayes loss");
  std::vector<Tensor> losses;
  for (int64_t batch = 0; batch < kBatches; ++batch) {
    const Tensor logits = posterior(draw(kBatch, generator).inputs_NF);
    losses.push_back(-(logits.softmax(-1) * (scale * logits).log_softmax(-1)).sum(-1));
  }
  const auto [mean, error] = mean_error(at::cat(losses));
  return {mean, error};
}

double World::loss_rate() const { return std::nan(""); }
double World::unanimous_odds() const { return std::nan(""); }

}  // namespace logodds
