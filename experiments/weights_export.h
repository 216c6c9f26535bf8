#pragma once

#include <filesystem>

#include "experiments/inspection.h"

namespace logodds {

/// Writes one run's weights for other programs, into a directory that must not hold anything yet:
///   model.safetensors       tensors by name, in the run's dtype
///   config.json             of a transformer that TransformerLens can express: its HookedTransformerConfig, and the
///   biases
///                           it expects are written as zeros; of any other model: {"task": …, "model": …}
///   reference.safetensors   with `reference`: "inputs" [N,T], every example, "logits" [N,V] in float64, and for the
///                           examples "traced" [n] (at most 64) every activation by its name, in float64
/// Throws an I/O Error.
void export_weights(const Inspection& inspection, size_t run, const std::filesystem::path& directory, bool reference);

}  // namespace logodds
