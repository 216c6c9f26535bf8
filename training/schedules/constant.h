#pragma once

#include "training/schedule.h"

namespace logodds {

/// Always 1.
class ConstantSchedule : public Schedule {
 public:
  struct Options {
    void fields(Fields&) {}
  };
  explicit ConstantSchedule(const Options&) {}
  double factor(int64_t) const override { return 1; }
};

}  // namespace logodds
