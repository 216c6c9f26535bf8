#pragma once

#include <string>
#include <vector>

#include "core/metrics.h"
#include "experiments/published.h"

namespace logodds {

/// An entry with what was measured of it: the rows and the provenance of a Reproduction, both null where it was not
/// trained.
struct EntryResults {
  PublishedEntry entry;
  Row rows;
  Row provenance;
};

/// The results page in Markdown: a table per entry, what does not reproduce and why, commit, machine and time; last the
/// entries that are not measured and how long they take.
std::string results_page(const std::vector<EntryResults>& results);

/// "12 s", "3 min", "2 h 10 min" of core time.
std::string core_time(double seconds);

}  // namespace logodds
