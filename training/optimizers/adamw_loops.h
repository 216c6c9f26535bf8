#pragma once

#include <cmath>

#include "core/device_loop.h"

// The update of training/optimizers/adamw.h as device_loop.h runs it; nvcc reads this.

namespace logodds {

/// All that changes from step to step is read from memory, so that a recorded update stays right.
template <class T>
struct AdamwUpdate {
  int64_t size;                           ///< n
  const double *beta1, *beta2, *epsilon;  ///< [R]
  const double* learning_rate;            ///< [R]
  const double* weight_decay;             ///< [R]
  const double* factor;                   ///< of the schedule, one number
  const float* updates;                   ///< t, one number: 1 at the first update
  const T* gradient;                      ///< [R, n]
  T *weights, *mean, *square;             ///< [R, n]

  static constexpr int64_t kThreads = 128, kEach = 8;  ///< consecutive threads take consecutive elements

  LOGODDS_DEVICE void operator()(int64_t run, int64_t row, int64_t thread) const {
    const double rate = learning_rate[run] * *factor, t = static_cast<double>(*updates);
    const T decay = static_cast<T>(rate * weight_decay[run]),
            step = static_cast<T>(rate / (1 - std::pow(beta1[run], t)));
    const T root = static_cast<T>(std::sqrt(1 - std::pow(beta2[run], t)));
    const T keep1 = static_cast<T>(1 - beta1[run]), keep2 = static_cast<T>(1 - beta2[run]);
    const T small = static_cast<T>(epsilon[run]);
    for (int64_t k = 0; k < kEach; ++k) {
      const int64_t column = (row * kEach + k) * kThreads + thread, i = run * size + column;
      if (column >= size) return;
      const T g = gradient[i], w = weights[i] - decay * weights[i];
      mean[i] += keep1 * (g - mean[i]);
      square[i] += keep2 * (g * g - square[i]);
      weights[i] = w - step * mean[i] / (std::sqrt(square[i]) / root + small);
    }
  }
};

template <class T>
void run(const AdamwUpdate<T>& work, int64_t runs, const Place& place);

}  // namespace logodds
