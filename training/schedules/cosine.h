#pragma once

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/error.h"
#include "training/schedule.h"

namespace logodds {

/// step / warmup_steps during the warm-up, then half a cosine from 1 to `floor` at step `steps`, and `floor` beyond:
/// floor + (1 - floor) (1 + cos πu)/2, u = (step - warmup_steps) / (steps - warmup_steps).
class CosineSchedule : public Schedule {
 public:
  struct Options {
    int64_t steps = 1000;
    int64_t warmup_steps = 0;
    double floor = 0;
    void fields(Fields& fields) {
      fields.integer({"steps", "where the floor is reached, usually training.steps"}, steps, at_least(1));
      fields.integer({"warmup_steps", "steps until the full learning rate"}, warmup_steps, at_least(0));
      fields.real({"floor", "the factor at the end"}, floor, between(0, 1));
    }
  };
  explicit CosineSchedule(const Options& options) : options_(options) {
    if (options.warmup_steps >= options.steps) {
      throw Error("'warmup_steps' (" + std::to_string(options.warmup_steps) + ") must be less than 'steps' (" +
                  std::to_string(options.steps) + ")");
    }
  }
  double factor(int64_t step) const override {
    const auto now = static_cast<double>(step), warm = static_cast<double>(options_.warmup_steps);
    if (now < warm) return now / warm;
    const double u = std::min((now - warm) / (static_cast<double>(options_.steps) - warm), 1.0);
    return options_.floor + (1 - options_.floor) * (1 + std::cos(std::numbers::pi * u)) / 2;
  }

 private:
  Options options_;
};

}  // namespace logodds
