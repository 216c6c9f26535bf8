#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include "core/error.h"
#include "training/schedule.h"

namespace logodds {

/// gamma^k, k the number of milestones that are reached (milestone ≤ step), as PyTorch's MultiStepLR: below 1 the
/// learning rate falls in stairs, above it rises, as where the gradient of a loss that is nearly 0 has to be made up
/// for (Morwani et al. 2023).
class MultiStepSchedule : public Schedule {
 public:
  struct Options {
    std::vector<int64_t> milestones{1000};
    double gamma = 0.1;
    void fields(Fields& fields) {
      fields.integers({"milestones", "steps at which the learning rate changes, rising"}, milestones, at_least(1));
      fields.real({"gamma", "factor at each milestone"}, gamma, at_least(0));
    }
  };
  explicit MultiStepSchedule(const Options& options) : options_(options) {
    if (std::ranges::adjacent_find(options.milestones, std::greater_equal<>()) != options.milestones.end()) {
      throw Error("'milestones' must rise, each above the one before");
    }
  }
  double factor(int64_t step) const override {
    return std::pow(options_.gamma, std::ranges::upper_bound(options_.milestones, step) - options_.milestones.begin());
  }

 private:
  Options options_;
};

}  // namespace logodds
