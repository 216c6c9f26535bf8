#pragma once

#include <cstdint>

#include "core/component.h"

namespace logodds {

/// The factor on the learning rate at each step.
class Schedule {
 public:
  virtual ~Schedule() = default;
  /// Factor of the update that leads from step `step` to `step` + 1.
  virtual double factor(int64_t step) const = 0;
};

/// The schedules by name.
const Catalogue& schedules();

}  // namespace logodds
