#pragma once

#include <filesystem>
#include <vector>

#include "core/safetensors.h"
#include "models/parameters.h"
#include "training/task.h"

namespace logodds {

/// Weights trained elsewhere, fitted to what a model needs. Names are TransformerLens's. Biases that the file lacks are
/// zero; biases that the model lacks must be zero; masks are left out; an unembedding with one class more than the
/// model has loses the last one ("=", which is never an answer). Throws an I/O Error that names file and tensor.
NamedTensors read_weights(const std::filesystem::path& path, const std::vector<ParameterSpec>& specs);

/// Numbers of the training examples: a line per input, its numbers separated by spaces or a comma; "#" begins a
/// comment. Throws Error with file and line.
std::vector<int64_t> read_split(const std::filesystem::path& path, const Task& task);

}  // namespace logodds
