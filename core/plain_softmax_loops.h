#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#include "core/device_loop.h"

// Cross-entropy as PyTorch's log-softmax computes it in a given arithmetic, losses of precision included, as
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

/// Arithmetics: what is computed in, and what logits and results are rounded to.
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

/// Of logits [rows, classes] of type T, what PyTorch's log_softmax makes of them on a CPU in arithmetic A, a row at a
/// time: z = f in A, m = max z, S = Σ_c e^{z_c - m}, ln p_c = (z_c - m) - ln S, loss -ln p_y, and `scale` times the
/// gradient e^{ln p_c} - [c = y]. As there, float16 is computed in float32 and z, S, ln S, ln p and the gradient are
/// rounded to float16: what is too small for it is 0. S is added up in eight partial sums, as vector units do: one sum
/// in the order of the classes would lose small terms much earlier. Any output may be null; the gradient may take the
/// logits' place.
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
    Number lanes[8] = {};
    for (int64_t c = 0; c < classes; ++c) lanes[c % 8] += std::exp(z(c) - largest);
    for (int half = 4; half > 0; half /= 2) {
      for (int i = 0; i < half; ++i) lanes[i] += lanes[i + half];
    }
    const Number sum = A::rounded(lanes[0]), log_sum = A::rounded(std::log(sum));
    const auto log_p = [&](int64_t c) { return A::rounded((z(c) - largest) - log_sum); };
    const int64_t y = targets[row];
    if (losses != nullptr) losses[row] = 0 - static_cast<double>(log_p(y));  // no negative zero
    if (sums != nullptr) sums[row] = static_cast<double>(sum);
    if (gradient == nullptr) return;
    const double share = static_cast<double>(A::rounded(static_cast<Number>(scale)));
    for (int64_t c = 0; c < classes; ++c) {  // a class's logit is read before its gradient takes its place
      const Number p = std::exp(log_p(c)), difference = c == y ? p - 1 : p;
      gradient[row * stride + c] =
          static_cast<T>(A::rounded(static_cast<Number>(share * static_cast<double>(difference))));
    }
  }
};

template <class T, class A>
void run(const PlainSoftmaxRows<T, A>& work, int64_t rows, const Place& place);

}  // namespace logodds
