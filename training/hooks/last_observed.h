#pragma once

#include <map>
#include <string>

#include "core/safetensors.h"

namespace logodds {

/// A tensor per run that a hook remembers from one observation to the next.
class LastObserved {
 public:
  /// Remembers `now`; returns what was remembered of the run before, in float64 on its device, undefined at the first.
  Tensor exchange(int64_t run, const Tensor& now) {
    Tensor before = last_[run];
    last_[run] = now;
    return before.defined() ? before.to(now.options().dtype(at::kDouble)) : before;
  }

  NamedTensors state() const {
    NamedTensors state;
    for (const auto& [run, tensor] : last_) state[std::to_string(run)] = tensor.contiguous();
    return state;
  }
  void restore(const NamedTensors& state) {
    last_.clear();
    for (const auto& [run, tensor] : state) last_[std::stoll(run)] = tensor;
  }

 private:
  std::map<int64_t, Tensor> last_;
};

}  // namespace logodds
