#pragma once

#include <string>

#include "core/metrics.h"

namespace logodds {

// What was expected beside what was measured: rows with what, `expected` (a number or words), measured, low, high; and
// where it has them runs, more_than, verdict, reason.

/// "0.99", "> 700" where it was not seen by then.
std::string measured_text(const Row& row);

/// "0.98 to 1"; "−" for none.
std::string interval_text(const Row& row);

/// The table for a terminal, with a column `expected` under that name; reasons below it.
std::string comparison_text(const Row& rows, const std::string& expected);

}  // namespace logodds
