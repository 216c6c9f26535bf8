#pragma once

#include <string>
#include <vector>

#include "core/metrics.h"

namespace logodds {

/// The summary of a sweep (experiments/sweep_directory.h) for a terminal: a line per setting.
std::string summary_text(const std::vector<std::string>& keys, const std::vector<Row>& rows);

}  // namespace logodds
