#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace logodds {

/// What a run directory holds, and what is wrong with it.
struct RunCheck {
  size_t checkpoints = 0;
  size_t rows = 0;                    ///< of the metrics
  std::vector<std::string> problems;  ///< a sentence each that begins with the file
  std::vector<std::string> notes;     ///< what is no damage: files of earlier versions that have no hash, leftovers
};

/// Verifies every file of a run: the hashes of config.yaml, provenance.json, of every file of every checkpoint and of
/// the metrics up to each checkpoint; that the configuration can be read and assembled, that checkpoints hold the
/// tensors that it needs, and that every line of the metrics is an object of a step and a run, in order. Changes
/// nothing. Throws an I/O Error where there is no run.
RunCheck check_run(const std::filesystem::path& path);

}  // namespace logodds
