#pragma once

#include <cmath>
#include <cstdint>

#include "core/device_loop.h"

// The arithmetic of cross_entropy (core/log_odds.h) as device_loop.h runs it; nvcc reads this.

namespace logodds {

/// One row of cross_entropy_rows (core/log_odds_kernel.h) per warp, contiguous rows. A class number that is not one of
/// `classes` makes NaN, as a logit that is not finite does.
template <class T>
struct CrossEntropyRows {
  const T* logits;         ///< [rows, classes]
  const int64_t* targets;  ///< [rows]
  int64_t classes;
  double scale;
  double* losses;  ///< [rows]
  T* gradient;     ///< [rows, classes], or null

  LOGODDS_DEVICE void operator()(int64_t /*run*/, int64_t row, const Warp& warp) const {
    const T* f = logits + row * classes;
    const int64_t y = targets[row];
    const double right = y >= 0 && y < classes ? static_cast<double>(f[y]) : static_cast<double>(NAN);
    const auto difference = [&](int64_t c) { return static_cast<double>(f[c]) - right; };
    const double shift = warp.max([&](int lane) {
      double largest = 0;
      for (int64_t c = lane; c < classes; c += Warp::kLanes) {
        if (c != y && difference(c) > largest) largest = difference(c);
      }
      return largest;
    });
    const double others = warp.sum([&](int lane) {
      double sum = 0;
      for (int64_t c = lane; c < classes; c += Warp::kLanes) {
        // Times 0: NaN where a logit is not finite, which the exponential would drop in silence.
        sum += difference(c) * 0 + (c == y ? 0 : std::exp(difference(c) - shift));
      }
      return sum;
    });
    const double factor = scale / (std::exp(-shift) + others);
    warp.each([&](int lane) {
      if (lane == 0) losses[row] = shift + std::log1p(std::expm1(-shift) + others);
      if (gradient == nullptr) return;
      for (int64_t c = lane; c < classes; c += Warp::kLanes) {
        gradient[row * classes + c] = static_cast<T>((c == y ? -others : std::exp(difference(c) - shift)) * factor);
      }
    });
  }
};

template <class T>
void run(const CrossEntropyRows<T>& work, int64_t rows, const Place& place);

}  // namespace logodds
