#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "training/trainer.h"

namespace logodds {

/// What came of training once without and once with interruptions.
struct ResumeProof {
  size_t tensors = 0;                    ///< compared at the end, of weights, optimizer and hooks
  size_t rows = 0;                       ///< of the metrics
  std::vector<std::string> differences;  ///< a sentence each; empty: all is equal byte for byte
};

/// Trains `options.steps` steps in DIRECTORY/whole, and in DIRECTORY/part as often interrupted as there are `stops`
/// (steps, ascending, each in [1, options.steps - 1]): after each stop a new trainer made by `make` continues from the
/// newest checkpoint on disk, as a new process would. Compares all weights and the optimizer's state at each stop, and
/// at the end also the state of hooks and all else in the checkpoint, and the metrics files. Throws Error as the
/// trainer does.
ResumeProof prove_resume(const std::function<Pack()>& make, const TrainerOptions& options,
                         const std::vector<int64_t>& stops, const std::filesystem::path& directory);

/// What two sets of tensors differ in, a sentence each that begins with `where`. Bytes are compared: NaN equals itself,
/// 0 and -0 differ.
std::vector<std::string> tensor_differences(const NamedTensors& whole, const NamedTensors& part,
                                            const std::string& where);

}  // namespace logodds
