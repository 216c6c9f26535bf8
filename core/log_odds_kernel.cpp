// Compiled once per instruction set by Highway, which picks one at run time.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/log_odds_kernel.cpp"
// Highway wants this order.
// clang-format off
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// clang-format on

#include "core/log_odds_kernel.h"

#include <cmath>
#include <limits>
#include <vector>

HWY_BEFORE_NAMESPACE();
namespace logodds {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// e^x for x ≤ 0 (-∞ included), to 2 units in the last place; 0 below -708. x = k ln 2 + r, |r| ≤ ln(2)/2, and the
/// series of e^r. Highway's own takes twice as long, for it minds the rest of the line.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V exp_of_nonpositive(D d, V x) {
  constexpr double kSeries[] = {
      1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880, 1.0 / 40320, 1.0 / 5040, 1.0 / 720,
      1.0 / 120,       1.0 / 24,       1.0 / 6,       1.0 / 2,      1.0,         1.0};
  const hn::RebindToSigned<D> i;
  const auto magic = hn::Set(d, 0x1.8p52);  // a sum with it is rounded to a whole number, its low bits
  const V shifted = hn::MulAdd(hn::Max(x, hn::Set(d, -1000.0)), hn::Set(d, 1.4426950408889634), magic);
  const V k = hn::Sub(shifted, magic);
  V r = hn::NegMulAdd(k, hn::Set(d, 0x1.62e42fefa3800p-1), x);  // ln 2 in two parts
  r = hn::NegMulAdd(k, hn::Set(d, 0x1.ef35793c76730p-45), r);
  V sum = hn::Set(d, 1.0 / 6227020800);
  for (const double term : kSeries) sum = hn::MulAdd(sum, r, hn::Set(d, term));
  const V power = hn::BitCast(d, hn::ShiftLeft<52>(hn::Add(hn::BitCast(i, shifted), hn::Set(i, int64_t{1023}))));
  return hn::IfThenElseZero(hn::Ge(x, hn::Set(d, -708.0)), hn::Mul(sum, power));
}

/// A row of float64 differences, with room for one vector more than there are classes.
class Row {
 public:
  explicit Row(int64_t classes)
      : size_((classes + lanes() - 1) / lanes() * lanes()), values_(static_cast<size_t>(size_), -kInfinity) {}

  /// Takes f_c - f_y of all c; -∞ for y and beyond the last class. Returns Σ (f_c - f_y) · 0, which is NaN where a
  /// logit is not finite: the exponential would drop it in silence.
  template <class T>
  double take_differences(const T* logits, int64_t classes, int64_t target) {
    const auto right = hn::Set(d_, static_cast<double>(logits[target]));
    auto poison = hn::Zero(d_);
    int64_t c = 0;
    for (; c + lanes() <= classes; c += lanes()) {
      const auto difference = hn::Sub(promoted(logits + c), right);
      poison = hn::MulAdd(difference, hn::Zero(d_), poison);
      hn::StoreU(difference, d_, values_.data() + c);
    }
    double rest = 0;
    for (; c < classes; ++c) {
      values_[static_cast<size_t>(c)] = static_cast<double>(logits[c]) - static_cast<double>(logits[target]);
      rest += values_[static_cast<size_t>(c)] * 0;
    }
    for (; c < size_; ++c) values_[static_cast<size_t>(c)] = -kInfinity;
    values_[static_cast<size_t>(target)] = -kInfinity;
    return rest + hn::GetLane(hn::SumOfLanes(d_, poison));
  }

  struct Sums {
    double shift;   ///< m = max(0, max_{c≠y} f_c - f_y)
    double others;  ///< Σ_{c≠y} e^{f_c - f_y - m}
  };

  /// Turns the differences into e^{f_c - f_y - m}.
  Sums exponentiate() {
    auto largest = hn::Zero(d_);
    for (int64_t c = 0; c < size_; c += lanes()) largest = hn::Max(largest, hn::LoadU(d_, values_.data() + c));
    const auto shift = hn::MaxOfLanes(d_, largest);
    auto sum = hn::Zero(d_);
    for (int64_t c = 0; c < size_; c += lanes()) {
      const auto exponential = exp_of_nonpositive(d_, hn::Sub(hn::LoadU(d_, values_.data() + c), shift));
      hn::StoreU(exponential, d_, values_.data() + c);
      sum = hn::Add(sum, exponential);
    }
    return {hn::GetLane(shift), hn::GetLane(hn::SumOfLanes(d_, sum))};
  }

  double operator[](int64_t c) const { return values_[static_cast<size_t>(c)]; }

 private:
  static constexpr double kInfinity = std::numeric_limits<double>::infinity();
  static int64_t lanes() { return static_cast<int64_t>(hn::Lanes(hn::ScalableTag<double>())); }
  static auto promoted(const double* x) { return hn::LoadU(hn::ScalableTag<double>(), x); }
  static auto promoted(const float* x) {
    const hn::ScalableTag<double> d;
    return hn::PromoteTo(d, hn::LoadU(hn::Rebind<float, decltype(d)>(), x));
  }

  hn::ScalableTag<double> d_;
  int64_t size_;
  std::vector<double> values_;
};

template <class T>
void rows_of(const T* logits, int64_t stride, const int64_t* targets, int64_t rows, int64_t classes, double scale,
             double* losses, T* gradient, int64_t gradient_stride) {
  Row differences(classes);
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t y = targets[row];
    const double poison = differences.take_differences(logits + row * stride, classes, y);
    const auto [shift, others] = differences.exponentiate();
    losses[row] = shift + std::log1p(std::expm1(-shift) + others) + poison;
    if (gradient == nullptr) continue;
    const double factor = scale / (std::exp(-shift) + others) + poison;
    T* g = gradient + row * gradient_stride;
    for (int64_t c = 0; c < classes; ++c) g[c] = static_cast<T>(differences[c] * factor);
    g[y] = static_cast<T>(-others * factor);
  }
}

void rows_of_float(const float* logits, int64_t stride, const int64_t* targets, int64_t rows, int64_t classes,
                   double scale, double* losses, float* gradient, int64_t gradient_stride) {
  rows_of(logits, stride, targets, rows, classes, scale, losses, gradient, gradient_stride);
}
void rows_of_double(const double* logits, int64_t stride, const int64_t* targets, int64_t rows, int64_t classes,
                    double scale, double* losses, double* gradient, int64_t gradient_stride) {
  rows_of(logits, stride, targets, rows, classes, scale, losses, gradient, gradient_stride);
}

}  // namespace HWY_NAMESPACE
}  // namespace logodds
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace logodds {

HWY_EXPORT(rows_of_float);
HWY_EXPORT(rows_of_double);

void cross_entropy_rows(const float* logits, int64_t stride, const int64_t* targets, int64_t rows, int64_t classes,
                        double scale, double* losses, float* gradient, int64_t gradient_stride) {
  HWY_DYNAMIC_DISPATCH(rows_of_float)
  (logits, stride, targets, rows, classes, scale, losses, gradient, gradient_stride);
}
void cross_entropy_rows(const double* logits, int64_t stride, const int64_t* targets, int64_t rows, int64_t classes,
                        double scale, double* losses, double* gradient, int64_t gradient_stride) {
  HWY_DYNAMIC_DISPATCH(rows_of_double)
  (logits, stride, targets, rows, classes, scale, losses, gradient, gradient_stride);
}

}  // namespace logodds
#endif
