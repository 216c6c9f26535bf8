#pragma once

#include <optional>

#include "models/model.h"
#include "training/batches.h"
#include "training/loss.h"
#include "training/samplers/sampler.h"

namespace logodds {

/// What a network is sampled on: it must outlive the energies made from it.
struct NetworkOn {
  const Model& model;
  const Loss& loss;
  Tensor inputs;     ///< [N,T] tokens or [N,F] features
  Tensor targets_N;  ///< class numbers
};

/// Mean loss L_n(w0) of a pack of one on all examples.
double network_loss(const NetworkOn& network, const Parameters& one);

/// The mean loss of R chains on all examples; or, where batch_size > 0, on mini-batches drawn without replacement, each
/// chain its own, as L_m(w) - L_m(w0) + L_n(w0): the batch's own luck at w0 cancels. `centre` holds w0, a pack of one.
Energy network_energy(const NetworkOn& network, const Parameters& centre, int64_t chains, int64_t batch_size,
                      int64_t seed);

}  // namespace logodds
