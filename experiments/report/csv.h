#pragma once

#include <string>
#include <vector>

#include "core/metrics.h"

namespace logodds {

/// Rows as CSV (RFC 4180) with a header: the columns of all rows in the order of their first appearance. What a row
/// lacks and null are empty, infinities "inf" and "-inf", which pandas.read_csv reads as such. With `vectors` a column
/// of lists becomes NAME[0], NAME[1], …; without, such columns are left out.
std::string to_csv(const std::vector<Row>& rows, bool vectors = false);

}  // namespace logodds
