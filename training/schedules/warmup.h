#pragma once

#include <algorithm>

#include "training/schedule.h"

namespace logodds {

/// min(step / warmup_steps, 1): linear from 0, so the very first update has learning rate 0, as in Nanda et al. 2023.
class WarmupSchedule : public Schedule {
 public:
  struct Options {
    int64_t warmup_steps = 10;
    void fields(Fields& fields) {
      fields.integer({"warmup_steps", "steps until the full learning rate"}, warmup_steps, at_least(1));
    }
  };
  explicit WarmupSchedule(const Options& options) : options_(options) {}
  double factor(int64_t step) const override {
    return std::min(static_cast<double>(step) / static_cast<double>(options_.warmup_steps), 1.0);
  }

 private:
  Options options_;
};

}  // namespace logodds
