// Compiled once per instruction set by Highway, which picks one at run time.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/log_odds_kernel.cpp"
// Highway wants this order.
// clang-format off
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include <hwy/contrib/math/math-inl.h>
// clang-format on

#include "core/log_odds_kernel.h"

#include <cmath>
#include <limits>
#include <vector>

HWY_BEFORE_NAMESPACE();
namespace logodds {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

struct RowSums {
  double shift;   ///< m = max(0, max_{c≠y} f_c - f_y)
  double others;  ///< Σ_{c≠y} e^{f_c - f_y - m}
};

/// Turns differences f_c - f_y (`size` of them, a multiple of the vector length, -∞ where there is no wrong class) into
/// e^{f_c - f_y - m}.
HWY_INLINE RowSums exponentiate(double* differences, int64_t size) {
  const hn::ScalableTag<double> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  auto largest = hn::Zero(d);
  for (int64_t c = 0; c < size; c += lanes) largest = hn::Max(largest, hn::LoadU(d, differences + c));
  const auto shift = hn::MaxOfLanes(d, largest);
  auto sum = hn::Zero(d);
  for (int64_t c = 0; c < size; c += lanes) {
    const auto exponential = hn::Exp(d, hn::Sub(hn::LoadU(d, differences + c), shift));
    hn::StoreU(exponential, d, differences + c);
    sum = hn::Add(sum, exponential);
  }
  return {hn::GetLane(shift), hn::GetLane(hn::SumOfLanes(d, sum))};
}

template <class T>
void rows_of(const T* logits, const int64_t* targets, int64_t rows, int64_t classes, double scale, double* losses,
             T* gradient) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const auto lanes = static_cast<int64_t>(hn::Lanes(hn::ScalableTag<double>()));
  const int64_t size = (classes + lanes - 1) / lanes * lanes;
  std::vector<double> buffer(static_cast<size_t>(size), -kInfinity);
  for (int64_t row = 0; row < rows; ++row) {
    const T* f = logits + row * classes;
    const int64_t y = targets[row];
    const double right = f[y];
    double poison = 0;  // becomes NaN where a logit is not finite: the exponential below would drop it in silence
    for (int64_t c = 0; c < classes; ++c) {
      buffer[static_cast<size_t>(c)] = static_cast<double>(f[c]) - right;
      poison += buffer[static_cast<size_t>(c)] * 0;
    }
    for (int64_t c = classes; c < size; ++c) buffer[static_cast<size_t>(c)] = -kInfinity;
    buffer[static_cast<size_t>(y)] = -kInfinity;
    const RowSums sums = exponentiate(buffer.data(), size);
    losses[row] = sums.shift + std::log1p(std::expm1(-sums.shift) + sums.others) + poison;
    if (gradient == nullptr) continue;
    const double factor = scale / (std::exp(-sums.shift) + sums.others) + poison;
    T* g = gradient + row * classes;
    for (int64_t c = 0; c < classes; ++c) g[c] = static_cast<T>(buffer[static_cast<size_t>(c)] * factor);
    g[y] = static_cast<T>(-sums.others * factor);
  }
}

void rows_of_float(const float* logits, const int64_t* targets, int64_t rows, int64_t classes, double scale,
                   double* losses, float* gradient) {
  rows_of(logits, targets, rows, classes, scale, losses, gradient);
}
void rows_of_double(const double* logits, const int64_t* targets, int64_t rows, int64_t classes, double scale,
                    double* losses, double* gradient) {
  rows_of(logits, targets, rows, classes, scale, losses, gradient);
}

}  // namespace HWY_NAMESPACE
}  // namespace logodds
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace logodds {

HWY_EXPORT(rows_of_float);
HWY_EXPORT(rows_of_double);

void cross_entropy_rows(const float* logits, const int64_t* targets, int64_t rows, int64_t classes, double scale,
                        double* losses, float* gradient) {
  HWY_DYNAMIC_DISPATCH(rows_of_float)(logits, targets, rows, classes, scale, losses, gradient);
}
void cross_entropy_rows(const double* logits, const int64_t* targets, int64_t rows, int64_t classes, double scale,
                        double* losses, double* gradient) {
  HWY_DYNAMIC_DISPATCH(rows_of_double)(logits, targets, rows, classes, scale, losses, gradient);
}

}  // namespace logodds
#endif
