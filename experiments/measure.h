#pragma once

#include <string>
#include <vector>

#include "core/component.h"
#include "core/metrics.h"

namespace logodds {

/// A trained run as measures see it.
class MeasuredRun {
 public:
  virtual ~MeasuredRun() = default;

  /// The rows of its metrics, in the order of their steps; at least one.
  virtual const std::vector<Row>& metrics() const = 0;

  /// A figure of `inspect --circuits` (README: JSON) of the trained network; throws Error where there is none of that
  /// name.
  virtual Row inspected(const std::string& figure) const = 0;
};

/// A quantity of a trained run, to be held against what was published.
class Measure {
 public:
  virtual ~Measure() = default;

  /// NaN where it is not defined for this run; +∞ for a step that the run did not reach. Throws Error where the run
  /// does not have what is asked for.
  virtual double of(const MeasuredRun& run) const = 0;
};

/// The measures by name.
const Catalogue& measures();

}  // namespace logodds
