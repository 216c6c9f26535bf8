#pragma once

#include "models/circuits/group_modes.h"

namespace logodds {

/// The logits without what the last hidden layer says of the answer y through some parts (Chughtai et al. 2023,
/// "excluded in the hidden layer"): f - (Π h) W_L. Each neuron's activation, averaged over the inputs of each answer,
/// is a function on the classes; Π h [B,M] is its projection on the modes of `parts`, at y. [B,V]. Throws Error for
/// models that have no such layer.
Tensor without_hidden_modes(const GroupModes& modes, const std::vector<int64_t>& parts, const Observed& observed,
                            const Tensor& targets_B);

}  // namespace logodds
