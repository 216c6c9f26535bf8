#pragma once

#include <vector>

#include "core/metrics.h"

namespace logodds {

/// A table of theory, measurement and interval, for a terminal.
void print_theory_table(const Row& table);

/// What runs learnt against what is known, from `inspect`'s rows; nothing where they have no "learnt".
void print_learnt(const std::vector<Row>& rows);

}  // namespace logodds
