// Compiled once per instruction set by Highway, which picks one at run time.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "training/optimizers/adamw_kernel.cpp"
// Highway wants this order.
// clang-format off
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// clang-format on

#include "training/optimizers/adamw_kernel.h"

HWY_BEFORE_NAMESPACE();
namespace logodds {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// One vector, or with the tag of one element the rest: the same operations, so that the bits are the same.
template <class D, class T>
HWY_INLINE void update_vector(D d, const AdamwStep<T>& u, int64_t i) {
  const auto g = hn::LoadU(d, u.gradient + i);
  const auto m = hn::LoadU(d, u.mean + i), v = hn::LoadU(d, u.square + i);
  // Differences from the old value, so that a mean of equal numbers stays what it is.
  const auto mean = hn::MulAdd(hn::Set(d, u.to_mean), hn::Sub(g, m), m);
  const auto square = hn::MulAdd(hn::Set(d, u.to_square), hn::Sub(hn::Mul(g, g), v), v);
  const auto change = hn::Div(hn::Mul(hn::Set(d, u.step), mean), hn::Add(hn::Sqrt(square), hn::Set(d, u.epsilon)));
  const auto w = hn::Mul(hn::Set(d, u.keep), hn::LoadU(d, u.weights + i));
  hn::StoreU(mean, d, u.mean + i);
  hn::StoreU(square, d, u.square + i);
  hn::StoreU(hn::Sub(w, change), d, u.weights + i);
}

template <class T>
void update(const AdamwStep<T>& u, int64_t begin, int64_t end) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t i = begin;
  for (; i + lanes <= end; i += lanes) update_vector(d, u, i);
  for (; i < end; ++i) update_vector(hn::CappedTag<T, 1>(), u, i);
}

AdamwKernel<float> adamw_float() { return update<float>; }
AdamwKernel<double> adamw_double() { return update<double>; }

}  // namespace HWY_NAMESPACE
}  // namespace logodds
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace logodds {

HWY_EXPORT(adamw_float);
HWY_EXPORT(adamw_double);

template <>
AdamwKernel<float> adamw_kernel<float>() {
  static const AdamwKernel<float> kernel = HWY_DYNAMIC_DISPATCH(adamw_float)();
  return kernel;
}
template <>
AdamwKernel<double> adamw_kernel<double>() {
  static const AdamwKernel<double> kernel = HWY_DYNAMIC_DISPATCH(adamw_double)();
  return kernel;
}

}  // namespace logodds
#endif
