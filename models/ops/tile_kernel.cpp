// Compiled once per instruction set by Highway, which picks one at run time.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "models/ops/tile_kernel.cpp"
// Arrays of vectors need vectors of a known size.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
// Highway wants this order.
// clang-format off
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// clang-format on

#include "models/ops/tile_kernel.h"

#include <hwy/cache_control.h>

#include <algorithm>
#include <vector>

HWY_BEFORE_NAMESPACE();
namespace logodds {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// The block of c that stays in registers: kRows rows of kVectors vectors, beside one vector of a and kVectors of w.
/// 16 registers hold 6 x 2; 32 hold 12 x 2.
constexpr int kVectors = 2;
constexpr int kRows = HWY_TARGET <= HWY_AVX3 ? 12 : 6;

template <class T>
int64_t lanes() {
  return static_cast<int64_t>(hn::Lanes(hn::ScalableTag<T>()));
}

/// One block: `depth` outer products of a column of a and a row of b.
template <class T>
struct Block {
  int64_t depth;
  const T* a;
  int64_t a_row, a_step;
  const T* b;
  int64_t b_step;
  T* c;
  int64_t c_stride;
  Finish<T> finish;
};

template <int kR, int kV, class T>
HWY_INLINE void compute(const Block<T>& block) {
  const hn::ScalableTag<T> d;
  using Vector = hn::Vec<decltype(d)>;
  const int64_t size = lanes<T>();
  Vector sum[kR][kV];
  for (auto& row : sum) {
    for (auto& s : row) s = hn::Zero(d);
  }
  // Needed at the end, when it has come from afar.
  for (int r = 0; r < kR; ++r) {
    for (int v = 0; v < kV; ++v) hwy::Prefetch(block.c + r * block.c_stride + v * size);
  }
  const T *a = block.a, *b = block.b;
  for (int64_t k = 0; k < block.depth; ++k, a += block.a_step, b += block.b_step) {
    Vector row[kV];
    for (int v = 0; v < kV; ++v) row[v] = hn::LoadU(d, b + v * size);
#pragma GCC unroll 12
    for (int r = 0; r < kR; ++r) {
      const Vector factor = hn::Set(d, a[r * block.a_row]);
      for (int v = 0; v < kV; ++v) sum[r][v] = hn::MulAdd(factor, row[v], sum[r][v]);
    }
  }
  for (int r = 0; r < kR; ++r) {
    for (int v = 0; v < kV; ++v) {
      // Added last: so that a sum over all samples is one of sums over tiles, and rounds less.
      Vector result = sum[r][v];
      if (block.finish.accumulate) result = hn::Add(result, hn::LoadU(d, block.c + r * block.c_stride + v * size));
      if (block.finish.relu) result = hn::Max(hn::Zero(d), result);
      if (block.finish.positive != nullptr) {
        const auto sign = hn::LoadU(d, block.finish.positive + r * block.finish.positive_stride + v * size);
        result = hn::IfThenElseZero(hn::Gt(sign, hn::Zero(d)), result);
      }
      hn::StoreU(result, d, block.c + r * block.c_stride + v * size);
    }
  }
}

/// `compute` for a number of rows known at run time.
template <int kR, int kV, class T>
HWY_INLINE void compute_rows(int64_t rows, const Block<T>& block) {
  if (rows == kR) return compute<kR, kV>(block);
  if constexpr (kR > 1) compute_rows<kR - 1, kV>(rows, block);
}

template <class T>
HWY_INLINE void compute_block(int64_t rows, int64_t columns, const Block<T>& block) {
  if (columns > lanes<T>()) {
    compute_rows<kRows, kVectors>(std::min<int64_t>(rows, kRows), block);
  } else {
    compute_rows<kRows, 1>(std::min<int64_t>(rows, kRows), block);
  }
}

template <class T>
int64_t packed_size(int64_t k, int64_t n) {
  const int64_t panel = kVectors * lanes<T>();
  return (n + panel - 1) / panel * panel * k;
}

/// A square of kSquare · kSquare elements, with rows and columns exchanged.
#if HWY_TARGET == HWY_SCALAR
template <class T>
constexpr int64_t kSquare = 1;
template <class T>
void transpose_square(const T* from, int64_t, T* to, int64_t) {
  *to = *from;
}
#else
template <class T>
constexpr int64_t kSquare = 16 / sizeof(T);
HWY_INLINE void transpose_square(const float* from, int64_t from_stride, float* to, int64_t to_stride) {
  const hn::Full128<float> d;
  const auto row0 = hn::LoadU(d, from), row1 = hn::LoadU(d, from + from_stride),
             row2 = hn::LoadU(d, from + 2 * from_stride), row3 = hn::LoadU(d, from + 3 * from_stride);
  const auto low02 = hn::InterleaveLower(d, row0, row2), low13 = hn::InterleaveLower(d, row1, row3),
             high02 = hn::InterleaveUpper(d, row0, row2), high13 = hn::InterleaveUpper(d, row1, row3);
  hn::StoreU(hn::InterleaveLower(d, low02, low13), d, to);
  hn::StoreU(hn::InterleaveUpper(d, low02, low13), d, to + to_stride);
  hn::StoreU(hn::InterleaveLower(d, high02, high13), d, to + 2 * to_stride);
  hn::StoreU(hn::InterleaveUpper(d, high02, high13), d, to + 3 * to_stride);
}
HWY_INLINE void transpose_square(const double* from, int64_t from_stride, double* to, int64_t to_stride) {
  const hn::Full128<double> d;
  const auto row0 = hn::LoadU(d, from), row1 = hn::LoadU(d, from + from_stride);
  hn::StoreU(hn::InterleaveLower(d, row0, row1), d, to);
  hn::StoreU(hn::InterleaveUpper(d, row0, row1), d, to + to_stride);
}
#endif

/// Packs a panel of `columns` columns, each contiguous, of `depth` elements.
template <class T>
HWY_INLINE void pack_transposed(const T* weights, int64_t depth, int64_t columns, int64_t column_stride, T* packed) {
  constexpr int64_t kSide = kSquare<T>;
  const int64_t panel = kVectors * lanes<T>(), squares = columns / kSide * kSide, deep = depth / kSide * kSide;
  const auto pack_each = [&](int64_t i_begin, int64_t i_end, int64_t c_begin, int64_t c_end) {
    for (int64_t i = i_begin; i < i_end; ++i) {
      for (int64_t c = c_begin; c < c_end; ++c) packed[i * panel + c] = weights[i + c * column_stride];
    }
  };
  for (int64_t c = 0; c < squares; c += kSide) {
    for (int64_t i = 0; i < deep; i += kSide) {
      transpose_square(weights + i + c * column_stride, column_stride, packed + i * panel + c, panel);
    }
  }
  pack_each(deep, depth, 0, squares);
  pack_each(0, depth, squares, columns);
}

template <class T>
void pack(const T* weights, int64_t k, int64_t n, int64_t row_stride, int64_t column_stride, T* packed) {
  const int64_t panel = kVectors * lanes<T>();
  for (int64_t j = 0; j < n; j += panel, packed += k * panel) {
    const int64_t columns = std::min(panel, n - j);
    const T* from = weights + j * column_stride;
    if (row_stride == 1) {
      pack_transposed(from, k, columns, column_stride, packed);
    } else {
      for (int64_t i = 0; i < k; ++i) {
        const T* row = from + i * row_stride;
        T* to = packed + i * panel;
        if (column_stride == 1) {
          std::copy_n(row, columns, to);
        } else {
          for (int64_t c = 0; c < columns; ++c) to[c] = row[c * column_stride];
        }
      }
    }
    if (columns == panel) continue;
    for (int64_t i = 0; i < k; ++i) std::fill(packed + i * panel + columns, packed + (i + 1) * panel, T{0});
  }
}

/// Depth that is summed at once; a sum of such sums rounds less than one long sum.
constexpr int64_t kDepth = 128;

/// Panel by panel: the panel stays in the first-level cache, or streams from the second, while rows of a pass by.
template <class T>
void multiply(int64_t m, int64_t n, int64_t k, const T* a, int64_t a_stride, const T* packed, T* c, int64_t c_stride,
              const Finish<T>& finish) {
  const int64_t panel = kVectors * lanes<T>();
  for (int64_t j = 0; j < n; j += panel) {
    for (int64_t i = 0; i < m; i += kRows) {
      // Where the signs of c itself decide, c is written once.
      const int64_t at_once = finish.positive != nullptr ? k : kDepth;
      for (int64_t first = 0; first < k; first += at_once) {
        const int64_t depth = std::min(at_once, k - first);
        Finish<T> now = first + depth < k ? Finish<T>() : finish;
        now.accumulate = finish.accumulate || first > 0;
        if (now.positive != nullptr) now.positive += i * finish.positive_stride + j;
        compute_block(m - i, n - j,
                      Block<T>{depth, a + i * a_stride + first, a_stride, 1, packed + j * k + first * panel, panel,
                               c + i * c_stride + j, c_stride, now});
      }
    }
  }
}

/// The larger operand is read from memory once: column by column of a, or panel by panel of b.
template <class T>
void multiply_transposed(int64_t m, int64_t n, int64_t rows, const T* a, int64_t a_stride, const T* b, int64_t b_stride,
                         T* c, int64_t c_stride, bool add) {
  const int64_t panel = kVectors * lanes<T>();
  const auto put_block = [&](int64_t i, int64_t j) {
    compute_block(
        m - i, n - j,
        Block<T>{rows, a + i, 1, a_stride, b + j, b_stride, c + i * c_stride + j, c_stride, {.accumulate = add}});
  };
  if (m >= n) {
    for (int64_t i = 0; i < m; i += kRows) {
      for (int64_t j = 0; j < n; j += panel) put_block(i, j);
    }
  } else {
    for (int64_t j = 0; j < n; j += panel) {
      for (int64_t i = 0; i < m; i += kRows) put_block(i, j);
    }
  }
}

template <class T>
void sum_columns(int64_t n, int64_t rows, const T* b, int64_t b_stride, T* c, bool add) {
  std::vector<double> sum(static_cast<size_t>(n));
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t j = 0; j < n; ++j) sum[static_cast<size_t>(j)] += static_cast<double>(b[r * b_stride + j]);
  }
  for (int64_t j = 0; j < n; ++j) c[j] = (add ? c[j] : T{0}) + static_cast<T>(sum[static_cast<size_t>(j)]);
}

template <class T>
T peak(int64_t repeats, int64_t* operations) {
  const hn::ScalableTag<T> d;
  constexpr int kSums = 12;
  hn::Vec<decltype(d)> sum[kSums];
  for (int i = 0; i < kSums; ++i) sum[i] = hn::Set(d, static_cast<T>(i));
  const auto factor = hn::Set(d, T{0.999}), term = hn::Set(d, T{0.001});
  for (int64_t k = 0; k < repeats; ++k) {
#pragma GCC unroll 12
    for (int i = 0; i < kSums; ++i) sum[i] = hn::MulAdd(sum[i], factor, term);
  }
  for (int i = 1; i < kSums; ++i) sum[0] = hn::Add(sum[0], sum[i]);
  *operations = 2 * kSums * lanes<T>() * repeats;
  return hn::GetLane(hn::SumOfLanes(d, sum[0]));
}

template <class T>
TileKernels<T> kernels() {
  return {packed_size<T>, pack<T>, multiply<T>, multiply_transposed<T>, sum_columns<T>, peak<T>};
}
TileKernels<float> tile_float() { return kernels<float>(); }
TileKernels<double> tile_double() { return kernels<double>(); }

}  // namespace HWY_NAMESPACE
}  // namespace logodds
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace logodds {

HWY_EXPORT(tile_float);
HWY_EXPORT(tile_double);

template <>
const TileKernels<float>& tile_kernels<float>() {
  static const TileKernels<float> kernels = HWY_DYNAMIC_DISPATCH(tile_float)();
  return kernels;
}
template <>
const TileKernels<double>& tile_kernels<double>() {
  static const TileKernels<double> kernels = HWY_DYNAMIC_DISPATCH(tile_double)();
  return kernels;
}

}  // namespace logodds
#endif
