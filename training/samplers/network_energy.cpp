#include "training/samplers/network_energy.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <memory>

#include "training/gradient.h"

namespace logodds {

namespace {

/// Each example's loss at w0, [N], float64.
Tensor losses_of(const NetworkOn& network, const Parameters& one) {
  const Tensor logits = network.model.logits(one, network.inputs.unsqueeze(0)).squeeze(0);
  std::vector<double> losses;
  for (int64_t i = 0; i < logits.size(0); ++i) {
    losses.push_back(network.loss.value(logits.narrow(0, i, 1), network.targets_N.narrow(0, i, 1)));
  }
  return at::tensor(losses, at::kDouble);
}

Energy on_batches(const NetworkOn& network, const Parameters& centre, int64_t chains, int64_t batch_size,
                  int64_t seed) {
  std::vector<int64_t> seeds;
  for (int64_t r = 0; r < chains; ++r) seeds.push_back(seed ^ (r << 32));
  const auto batches = std::make_shared<Batches>(seeds, network.targets_N.size(0), batch_size);
  const Tensor at_centre = losses_of(network, centre);
  const double whole = at_centre.mean().item<double>();
  return [=](Parameters& weights, int64_t step) {
    // In rising order: the gradient is fastest where neighbours share tokens.
    const Tensor batch = std::get<0>(batches->at(step).sort(1)), flat = batch.flatten();
    const auto of_batch = [&](const Tensor& all) {
      std::vector<int64_t> shape = batch.sizes().vec();
      shape.insert(shape.end(), all.sizes().begin() + 1, all.sizes().end());
      return all.index_select(0, flat).view(shape);
    };
    const Tensor loss =
        loss_gradient(network.model, network.loss, weights, of_batch(network.inputs), of_batch(network.targets_N));
    return loss - of_batch(at_centre).mean(1) + whole;
  };
}

}  // namespace

double network_loss(const NetworkOn& network, const Parameters& one) {
  Parameters copy = one.select(0);
  return loss_gradient(network.model, network.loss, copy, network.inputs.unsqueeze(0),
                       network.targets_N.unsqueeze(0))[0]
      .item<double>();
}

Energy network_energy(const NetworkOn& network, const Parameters& centre, int64_t chains, int64_t batch_size,
                      int64_t seed) {
  const int64_t examples = network.targets_N.size(0);
  if (batch_size > 0 && batch_size < examples) return on_batches(network, centre, chains, batch_size, seed);
  const auto for_each = [&](const Tensor& all) { return at::stack(std::vector<Tensor>(chains, all)); };
  const Tensor inputs = for_each(network.inputs), targets = for_each(network.targets_N);
  return [network, inputs, targets](Parameters& weights, int64_t) {
    return loss_gradient(network.model, network.loss, weights, inputs, targets);
  };
}

}  // namespace logodds
