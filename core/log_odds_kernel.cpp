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

int64_t lanes() { return static_cast<int64_t>(hn::Lanes(hn::ScalableTag<double>())); }

HWY_INLINE auto promoted(const double* x) { return hn::LoadU(hn::ScalableTag<double>(), x); }
HWY_INLINE auto promoted(const float* x) {
  const hn::ScalableTag<double> d;
  return hn::PromoteTo(d, hn::LoadU(hn::Rebind<float, decltype(d)>(), x));
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

/// A row of float64 numbers, made from the logits; what is beyond its end is left out of sums.
class Wide {
 public:
  explicit Wide(int64_t classes) : values_(static_cast<size_t>((classes + lanes() - 1) / lanes() * lanes())) {}

  template <class T>
  void take(const T* logits, int64_t classes, double minus) {
    size_ = classes;
    const auto right = hn::Set(d_, minus);
    int64_t c = 0;
    for (; c + lanes() <= classes; c += lanes()) {
      hn::StoreU(hn::Sub(promoted(logits + c), right), d_, values_.data() + c);
    }
    for (; c < classes; ++c) values_[static_cast<size_t>(c)] = static_cast<double>(logits[c]) - minus;
  }

  void remove(int64_t c) { values_[static_cast<size_t>(c)] = values_[static_cast<size_t>(--size_)]; }

  /// Calls visit(mask, values) for all vectors.
  template <class Visit>
  void each(const Visit& visit) const {
    for (int64_t c = 0; c < size_; c += lanes()) {
      visit(hn::FirstN(d_, static_cast<size_t>(size_ - c)), hn::LoadU(d_, values_.data() + c));
    }
  }

 private:
  hn::ScalableTag<double> d_;
  int64_t size_ = 0;
  std::vector<double> values_;
};

/// Sum over the lanes.
template <class V>
double total(V x) {
  return hn::GetLane(hn::SumOfLanes(hn::ScalableTag<double>(), x));
}

template <class T>
RaySums ray_of(const T* logits, const int64_t* targets, int64_t rows, int64_t classes, double scale) {
  const hn::ScalableTag<double> d;
  const double infinity = std::numeric_limits<double>::infinity();
  const auto s = hn::Set(d, scale);
  auto largest = hn::Set(d, -infinity), smallest = hn::Set(d, infinity);
  RaySums sums;
  Wide differences(classes);
  for (int64_t row = 0; row < rows; ++row, logits += classes) {
    differences.take(logits, classes, static_cast<double>(logits[targets[row]]));
    differences.remove(targets[row]);
    auto highest = hn::Zero(d), poison = hn::Zero(d);
    differences.each([&](auto mask, auto x) {
      largest = hn::IfThenElse(mask, hn::Max(largest, x), largest);
      smallest = hn::IfThenElse(mask, hn::Min(smallest, x), smallest);
      highest = hn::IfThenElse(mask, hn::Max(highest, hn::Mul(s, x)), highest);
      poison = hn::Add(poison, hn::IfThenElseZero(mask, hn::Mul(x, hn::Zero(d))));
    });
    const auto shift = hn::MaxOfLanes(d, highest);
    auto others = hn::Zero(d), first = hn::Zero(d), second = hn::Zero(d);
    differences.each([&](auto mask, auto x) {
      const auto e = hn::IfThenElseZero(mask, exp_of_nonpositive(d, hn::MulSub(s, x, shift)));
      const auto weighted = hn::Mul(e, hn::IfThenElseZero(mask, x));
      others = hn::Add(others, e);
      first = hn::Add(first, weighted);
      second = hn::MulAdd(weighted, x, second);
    });
    const double m = hn::GetLane(shift), sum = total(others), nan = total(poison), z = std::exp(-m) + sum;
    const double mean = total(first) / z;
    sums.loss += m + std::log1p(std::expm1(-m) + sum) + nan;
    sums.slope += mean + nan;
    sums.curvature += total(second) / z - mean * mean;
  }
  sums.largest = hn::GetLane(hn::MaxOfLanes(d, largest));
  sums.smallest = hn::GetLane(hn::MinOfLanes(d, smallest));
  return sums;
}

template <class T>
double square_sum_of(const T* logits, int64_t rows, int64_t classes) {
  const hn::ScalableTag<double> d;
  Wide row_values(classes);
  double sum = 0;
  for (int64_t row = 0; row < rows; ++row, logits += classes) {
    row_values.take(logits, classes, 0);
    auto all = hn::Zero(d), squares = hn::Zero(d);
    row_values.each([&](auto mask, auto x) { all = hn::Add(all, hn::IfThenElseZero(mask, x)); });
    const auto mean = hn::Set(d, total(all) / static_cast<double>(classes));
    row_values.each([&](auto mask, auto x) {
      const auto centred = hn::IfThenElseZero(mask, hn::Sub(x, mean));
      squares = hn::MulAdd(centred, centred, squares);
    });
    sum += total(squares);
  }
  return sum;
}

RaySums ray_float(const float* logits, const int64_t* targets, int64_t rows, int64_t classes, double scale) {
  return ray_of(logits, targets, rows, classes, scale);
}
RaySums ray_double(const double* logits, const int64_t* targets, int64_t rows, int64_t classes, double scale) {
  return ray_of(logits, targets, rows, classes, scale);
}
double squares_float(const float* logits, int64_t rows, int64_t classes) {
  return square_sum_of(logits, rows, classes);
}
double squares_double(const double* logits, int64_t rows, int64_t classes) {
  return square_sum_of(logits, rows, classes);
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
HWY_EXPORT(ray_float);
HWY_EXPORT(ray_double);
HWY_EXPORT(squares_float);
HWY_EXPORT(squares_double);

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

RaySums ray_rows(const float* logits, const int64_t* targets, int64_t rows, int64_t classes, double scale) {
  return HWY_DYNAMIC_DISPATCH(ray_float)(logits, targets, rows, classes, scale);
}
RaySums ray_rows(const double* logits, const int64_t* targets, int64_t rows, int64_t classes, double scale) {
  return HWY_DYNAMIC_DISPATCH(ray_double)(logits, targets, rows, classes, scale);
}
double centred_square_sum(const float* logits, int64_t rows, int64_t classes) {
  return HWY_DYNAMIC_DISPATCH(squares_float)(logits, rows, classes);
}
double centred_square_sum(const double* logits, int64_t rows, int64_t classes) {
  return HWY_DYNAMIC_DISPATCH(squares_double)(logits, rows, classes);
}

}  // namespace logodds
#endif
