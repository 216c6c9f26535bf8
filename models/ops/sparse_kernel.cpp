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

#include <algorithm>
#include <bit>
#include <cstring>

HWY_BEFORE_NAMESPACE();
namespace logodds {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// Vectors of kGroup rows of c that stay in registers, beside the values and a vector of b.
constexpr int kVectors = HWY_TARGET <= HWY_AVX3 ? 6 : 2;

template <class T>
int64_t lanes() {
  return static_cast<int64_t>(hn::Lanes(hn::ScalableTag<T>()));
}

/// Bit i is set where element i of a vector is not 0.
template <class T>
HWY_INLINE uint64_t not_zero(const T* from) {
  const hn::ScalableTag<T> d;
  uint8_t bytes[8] = {};  // as many as StoreMaskBits may write
  hn::StoreMaskBits(d, hn::Ne(hn::LoadU(d, from), hn::Zero(d)), bytes);
  uint64_t bits;
  std::memcpy(&bits, bytes, sizeof bits);
  return bits;
}

template <class T>
int64_t find_entries(const T* const rows[kGroup], int64_t n, int32_t* columns, T* values) {
  static_assert(kGroup == 4);
  const hn::ScalableTag<T> d;
  T by_column[HWY_MAX_BYTES / sizeof(T) * kGroup];
  int64_t count = 0, c = 0;
  const auto add = [&](int64_t column, const T* of_column) {
    columns[count] = static_cast<int32_t>(column);
    std::copy_n(of_column, kGroup, values + count++ * kGroup);
  };
  for (; c + lanes<T>() <= n; c += lanes<T>()) {
    uint64_t bits = 0;
    for (int64_t r = 0; r < kGroup; ++r) bits |= not_zero(rows[r] + c);
    if (bits == 0) continue;
    hn::StoreInterleaved4(hn::LoadU(d, rows[0] + c), hn::LoadU(d, rows[1] + c), hn::LoadU(d, rows[2] + c),
                          hn::LoadU(d, rows[3] + c), d, by_column);
    for (; bits != 0; bits &= bits - 1) {
      const int64_t i = std::countr_zero(bits);
      add(c + i, by_column + i * kGroup);
    }
  }
  for (; c < n; ++c) {
    for (int64_t r = 0; r < kGroup; ++r) by_column[r] = rows[r][c];
    if (std::any_of(by_column, by_column + kGroup, [](T x) { return x != T{0}; })) add(c, by_column);
  }
  return count;
}

template <class T>
void add_column(const T* row, int64_t n, int32_t number, const int64_t* begin, int64_t* count, int32_t* columns,
                T* values) {
  const auto add = [&](int64_t group, int64_t size) {
    const int64_t entry = begin[group] + count[group]++;
    columns[entry] = number;
    T* to = values + entry * kGroup;
    std::copy_n(row + group * kGroup, size, to);
    std::fill(to + size, to + kGroup, T{0});
  };
  int64_t c = 0;
  if (lanes<T>() % kGroup == 0) {
    for (; c + lanes<T>() <= n; c += lanes<T>()) {
      uint64_t bits = not_zero(row + c);
      for (int64_t group = c / kGroup; bits != 0; ++group, bits >>= kGroup) {
        if ((bits & 15) != 0) add(group, kGroup);
      }
    }
  }
  for (; c < n; c += kGroup) {
    const int64_t size = std::min(kGroup, n - c);
    if (std::any_of(row + c, row + c + size, [](T x) { return x != T{0}; })) add(c / kGroup, size);
  }
}

/// A block of kV vectors of a group's rows, of the last of which the first `last` elements are wanted.
template <int kV, class T>
struct Block {
  int64_t entries;
  const int32_t* column;
  const T* value;
  const T* b;
  int64_t b_stride;
  const T* start;
  bool relu;
  int64_t rows, last;
  T* c;
  int64_t c_stride;
};

/// What is wanted of a vector, and 0.
template <class T>
HWY_INLINE hn::Vec<hn::ScalableTag<T>> load_first(const T* from, int64_t count) {
  const hn::ScalableTag<T> d;
  if (count == lanes<T>()) return hn::LoadU(d, from);
  T whole[HWY_MAX_BYTES / sizeof(T)] = {};
  std::copy_n(from, count, whole);
  return hn::LoadU(d, whole);
}

template <class T>
HWY_INLINE void store_first(hn::Vec<hn::ScalableTag<T>> vector, T* to, int64_t count) {
  const hn::ScalableTag<T> d;
  if (count == lanes<T>()) return hn::StoreU(vector, d, to);
  T whole[HWY_MAX_BYTES / sizeof(T)];
  hn::StoreU(vector, d, whole);
  std::copy_n(whole, count, to);
}

template <int kV, class T>
HWY_INLINE void compute(const Block<kV, T>& block) {
  const hn::ScalableTag<T> d;
  using Vector = hn::Vec<decltype(d)>;
  const int64_t size = lanes<T>();
  Vector sum[kGroup][kV];
  for (int64_t r = 0; r < kGroup; ++r) {
    for (int v = 0; v < kV; ++v) {
      const int64_t wanted = v + 1 < kV ? size : block.last;
      sum[r][v] = block.start != nullptr ? hn::LoadU(d, block.start + v * size)
                  : r < block.rows       ? load_first(block.c + r * block.c_stride + v * size, wanted)
                                         : hn::Zero(d);
    }
  }
  for (int64_t k = 0; k < block.entries; ++k) {
    Vector factor[kGroup];
#pragma GCC unroll 4
    for (int64_t r = 0; r < kGroup; ++r) factor[r] = hn::Set(d, block.value[k * kGroup + r]);
    const T* from = block.b + block.column[k] * block.b_stride;
#pragma GCC unroll 8
    for (int v = 0; v < kV; ++v) {
      const Vector row = hn::LoadU(d, from + v * size);
#pragma GCC unroll 4
      for (int64_t r = 0; r < kGroup; ++r) sum[r][v] = hn::MulAdd(factor[r], row, sum[r][v]);
    }
  }
  for (int64_t r = 0; r < block.rows; ++r) {
    for (int v = 0; v < kV; ++v) {
      const Vector result = block.relu ? hn::Max(hn::Zero(d), sum[r][v]) : sum[r][v];
      store_first(result, block.c + r * block.c_stride + v * size, v + 1 < kV ? size : block.last);
    }
  }
}

/// All groups' block of `vectors` vectors, a number known at run time.
template <int kV, class T>
HWY_INLINE void compute_block(int64_t vectors, int64_t last, const RowGroups<T>& a, const T* b, int64_t b_stride,
                              const T* start, bool relu, T* c, int64_t c_stride) {
  if (vectors == kV) {
    for (int64_t row = 0, group = 0; row < a.rows; row += kGroup, ++group) {
      const int64_t begin = a.begin[group];
      compute(Block<kV, T>{a.count[group], a.column + begin, a.value + begin * kGroup, b, b_stride, start, relu,
                           std::min(kGroup, a.rows - row), last, c + row * c_stride, c_stride});
    }
    return;
  }
  if constexpr (kV > 1) compute_block<kV - 1>(vectors, last, a, b, b_stride, start, relu, c, c_stride);
}

/// Columns in blocks of nearly equal width.
template <class T>
void multiply(const RowGroups<T>& a, int64_t n, const T* b, int64_t b_stride, const T* start, bool relu, T* c,
              int64_t c_stride) {
  const int64_t vectors = (n + lanes<T>() - 1) / lanes<T>(), blocks = (vectors + kVectors - 1) / kVectors;
  for (int64_t block = 0; block < blocks; ++block) {
    const int64_t first = vectors * block / blocks, count = vectors * (block + 1) / blocks - first;
    const int64_t j = first * lanes<T>(), last = std::min(lanes<T>(), n - j - (count - 1) * lanes<T>());
    compute_block<kVectors>(count, last, a, b + j, b_stride, start == nullptr ? nullptr : start + j, relu, c + j,
                            c_stride);
  }
}

template <class T>
SparseKernels<T> kernels() {
  return {lanes<T>(), find_entries<T>, add_column<T>, multiply<T>};
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
