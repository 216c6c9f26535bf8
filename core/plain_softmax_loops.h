#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#include "core/device_loop.h"

// Cross-entropy as a plain log-softmax computes it in a given arithmetic, losses of precision included, as
// device_loop.h runs it; nvcc reads this. For accurate figures: core/log_odds.h.

namespace logodds {

/// The float16 nearest to x, ties to even, as a float.
LOGODDS_DEVICE inline float to_float16(float x) {
  if (!(std::fabs(x) < 65520.0f)) return x != x ? x : std::copysign(static_cast<float>(INFINITY), x);
  if (std::fabs(x) < 6.103515625e-05f) {  // a subnormal of float16: a multiple of 2^-24, which 0.5's last bit is
    const float half = std::copysign(0.5f, x);
    return std::copysign((x + half) - half, x);
  }
  uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  bits = (bits + 0xfffu + ((bits >> 13) & 1u)) & ~0x1fffu;
  std::memcpy(&x, &bits, sizeof bits);
  return x;
}

/// Arithmetics: what numbers are held in, and what each elementary result is rounded to.
struct Float64 {
  using Number = double;
  LOGODDS_DEVICE static double rounded(double x) { return x; }
};
struct Float32 {
  using Number = float;
  LOGODDS_DEVICE static float rounded(float x) { return x; }
};
struct Float16 {
  using Number = float;
  LOGODDS_DEVICE static float rounded(float x) { return to_float16(x); }
};

/// Of logits [rows, classes] of type T in arithmetic A, a row at a time: z = f in A, m = max z, S = Σ_c e^{z_c - m}
/// summed in the order of the classes, ln p_c = (z_c - m) - ln S, loss -ln p_y; and `scale`
/// times the gradient e^{ln p_c} - [c = y], that product in A as well: what is too small for A is 0. Any output may be
/// null; the gradient may take the logits' place.
template <class T, class A>
struct PlainSoftmaxRows {
  const T* logits;
  int64_t stride;          ///< of the logits' and the gradient's rows
  const int64_t* targets;  ///< [rows]
  int64_t classes;
  double scale;
  double* losses;  ///< [rows], nats
  double* sums;    ///< [rows], S
  T* gradient;

  using Number = typename A::Number;

  LOGODDS_DEVICE void operator()(int64_t /*run*/, int64_t /*block*/, int64_t row) const {
    const T* f = logits + row * stride;
    const auto z = [&](int64_t c) { return A::rounded(static_cast<Number>(f[c])); };
    Number largest = z(0);
    for (int64_t c = 1; c < classes; ++c) largest = z(c) > largest ? z(c) : largest;
    Number sum = 0;
    for (int64_t c = 0; c < classes; ++c) sum = A::rounded(sum + A::rounded(std::exp(A::rounded(z(c) - largest))));
    const Number log_sum = A::rounded(std::log(sum));
    const auto log_p = [&](int64_t c) { return A::rounded(A::rounded(z(c) - largest) - log_sum); };
    const int64_t y = targets[row];
    if (losses != nullptr) losses[row] = 0 - static_cast<double>(log_p(y));  // no negative zero
    if (sums != nullptr) sums[row] = static_cast<double>(sum);
    if (gradient == nullptr) return;
    for (int64_t c = 0; c < classes; ++c) {  // a class's logit is read before its gradient takes its place
      const Number p = A::rounded(std::exp(log_p(c)));
      const Number difference = c == y ? A::rounded(p - 1) : p;
      gradient[row * stride + c] =
          static_cast<T>(A::rounded(static_cast<Number>(scale * static_cast<double>(difference))));
    }
  }
};

template <class T, class A>
void run(const PlainSoftmaxRows<T, A>& work, int64_t rows, const Place& place);

}  // namespace logodds
