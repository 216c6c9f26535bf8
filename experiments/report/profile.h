#pragma once

#include <ATen/core/Tensor.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace logodds {

/// Where the time of training goes: adds up by part what TrainerEvents::spent reports, from its own construction on.
/// On a GPU each part waits until the device has done it, so that its time is its own; training is then slower than
/// without a profile.
class Profile {
 public:
  using Clock = std::function<std::chrono::steady_clock::time_point()>;
  explicit Profile(at::Device device, Clock clock = std::chrono::steady_clock::now);

  void spent(std::string_view part);

  /// The parts in falling order of their time, then their sum: milliseconds per step, percent of all, how often, and
  /// milliseconds each time.
  std::string text(int64_t steps) const;

 private:
  struct Part {
    std::string name;
    double seconds = 0;
    int64_t count = 0;
  };

  at::Device device_;
  Clock clock_;
  std::chrono::steady_clock::time_point last_;
  std::vector<Part> parts_;  ///< a dozen
};

}  // namespace logodds
