// Compiled once per instruction set by Highway, which picks one at run time.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "models/ops/sparse_kernel.cpp"
// Arrays of vectors need vectors of a known size.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
// Highway wants this order.
// clang-format off
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// clang-format on

#include "models/ops/sparse_kernel.h"

HWY_BEFORE_NAMESPACE();
namespace logodds {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// Vectors of a row of c that stay in registers; of 16, one more holds the value.
constexpr int kVectors = 13;

template <class T>
int64_t lanes() {
  return static_cast<int64_t>(hn::Lanes(hn::ScalableTag<T>()));
}

template <class T>
int64_t gather(const T* row, int64_t n, SparseColumn<T>* columns, T* values) {
  const hn::ScalableTag<T> d;
  const hn::ScalableTag<SparseColumn<T>> d_column;
  int64_t count = 0, c = 0;
  for (; c + lanes<T>() <= n; c += lanes<T>()) {
    const auto value = hn::LoadU(d, row + c);
    const auto mask = hn::Ne(value, hn::Zero(d));
    const auto column = hn::Iota(d_column, static_cast<SparseColumn<T>>(c));
    hn::StoreU(hn::Compress(value, mask), d, values + count);
    hn::StoreU(hn::Compress(column, hn::RebindMask(d_column, mask)), d_column, columns + count);
    count += static_cast<int64_t>(hn::CountTrue(d, mask));
  }
  for (; c < n; ++c) {
    if (row[c] == T{0}) continue;
    columns[count] = static_cast<SparseColumn<T>>(c);
    values[count++] = row[c];
  }
  return count;
}

/// One row's block of kV vectors.
template <int kV, class T>
HWY_INLINE void compute(const SparseRows<T>& a, int64_t row, const T* b, int64_t b_stride, const T* start, bool relu,
                        T* c) {
  const hn::ScalableTag<T> d;
  const int64_t size = lanes<T>();
  hn::Vec<decltype(d)> sum[kV];
  for (int v = 0; v < kV; ++v) sum[v] = hn::LoadU(d, start + v * size);
  for (int64_t k = a.first[row]; k < a.first[row + 1]; ++k) {
    const auto factor = hn::Set(d, a.value[k]);
    const T* from = b + a.column[k] * b_stride;
    for (int v = 0; v < kV; ++v) sum[v] = hn::MulAdd(factor, hn::LoadU(d, from + v * size), sum[v]);
  }
  for (int v = 0; v < kV; ++v) {
    hn::StoreU(relu ? hn::Max(hn::Zero(d), sum[v]) : sum[v], d, c + v * size);
  }
}

/// All rows' block of `vectors` vectors, a number known at run time.
template <int kV, class T>
HWY_INLINE void compute_block(int64_t vectors, const SparseRows<T>& a, const T* b, int64_t b_stride, const T* start,
                              bool relu, T* c, int64_t c_stride) {
  if (vectors == kV) {
    for (int64_t row = 0; row < a.rows; ++row) {
      T* to = c + row * c_stride;
      compute<kV>(a, row, b, b_stride, start == nullptr ? to : start, relu, to);
    }
    return;
  }
  if constexpr (kV > 1) compute_block<kV - 1>(vectors, a, b, b_stride, start, relu, c, c_stride);
}

/// Columns in blocks of nearly equal width: a block's part of b stays in the first-level cache where few rows allow it,
/// else in the second.
template <class T>
void multiply(const SparseRows<T>& a, int64_t n, const T* b, int64_t b_rows, int64_t b_stride, const T* start,
              bool relu, T* c, int64_t c_stride) {
  constexpr int64_t kFirstLevelBytes = 24 << 10, kFewVectors = 4;
  const int64_t fit = kFirstLevelBytes / (b_rows * lanes<T>() * static_cast<int64_t>(sizeof(T)));
  const int64_t width = fit >= kFewVectors ? std::min<int64_t>(fit, kVectors) : kVectors;
  const int64_t vectors = (n + lanes<T>() - 1) / lanes<T>(), blocks = (vectors + width - 1) / width;
  for (int64_t block = 0; block < blocks; ++block) {
    const int64_t first = vectors * block / blocks, last = vectors * (block + 1) / blocks, j = first * lanes<T>();
    compute_block<kVectors>(last - first, a, b + j, b_stride, start == nullptr ? nullptr : start + j, relu, c + j,
                            c_stride);
  }
}

template <class T>
SparseKernels<T> kernels() {
  return {lanes<T>(), gather<T>, multiply<T>};
}
SparseKernels<float> sparse_float() { return kernels<float>(); }
SparseKernels<double> sparse_double() { return kernels<double>(); }

}  // namespace HWY_NAMESPACE
}  // namespace logodds
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace logodds {

HWY_EXPORT(sparse_float);
HWY_EXPORT(sparse_double);

template <>
const SparseKernels<float>& sparse_kernels<float>() {
  static const SparseKernels<float> kernels = HWY_DYNAMIC_DISPATCH(sparse_float)();
  return kernels;
}
template <>
const SparseKernels<double>& sparse_kernels<double>() {
  static const SparseKernels<double> kernels = HWY_DYNAMIC_DISPATCH(sparse_double)();
  return kernels;
}

}  // namespace logodds
#endif
