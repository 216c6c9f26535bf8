#pragma once

#include <string>
#include <vector>

#include "core/metrics.h"

namespace logodds {

/// The summary of a sweep (experiments/sweep_directory.h) for a terminal: a line per setting.
std::string summary_text(const std::vector<std::string>& keys, const std::vector<Row>& rows);

/// Some columns of such a summary, medians with their intervals, for a terminal. Throws Error for a column that is not
/// there.
std::string columns_text(const std::vector<std::string>& keys, const std::vector<Row>& rows,
                         const std::vector<std::string>& columns);

}  // namespace logodds
