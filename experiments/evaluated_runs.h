#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "core/metrics.h"

namespace logodds {

/// One run with everything that was written about it: what tables and figures are made of.
struct EvaluatedRun {
  std::filesystem::path directory;  ///< its run directory
  size_t run = 0;                   ///< of that directory's pack
  int64_t budget_steps = 0;         ///< how far it is, or was, to be trained
  /// What tells it from the others: the full keys of the axes and its values, as written; the key "directory" where
  /// runs of several directories stand together.
  std::vector<std::pair<std::string, std::string>> values{};
  std::vector<Row> rows{};  ///< its evaluations in the order of their steps

  /// "weight_decay 1, seed 0"; and without the seed; "seed 0" and empty where no axis tells it from others.
  std::string label() const { return label(/*with_seed=*/true); }
  std::string setting() const { return label(/*with_seed=*/false); }

 private:
  std::string label(bool with_seed) const;
};

/// The runs of a run directory, or those of a sweep, in their order. A training of a sweep that cannot be read is
/// logged and left out. Throws Error where there is neither.
std::vector<EvaluatedRun> evaluated_runs(const std::filesystem::path& path);

}  // namespace logodds
