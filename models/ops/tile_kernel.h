#pragma once

#include <cstdint>

// Matrix products on a tile of samples that stays in a core's cache: no LibTorch here. A tile is a few dozen rows of a
// row-major matrix; the weights that it meets are packed once per step into panels of as many columns as two vectors
// hold, so that the innermost loop reads them in order.

namespace logodds {

/// Samples of a tile: a multiple of every kernel's block of rows; 512 hidden units of it take 250 kB.
inline constexpr int64_t kTileSamples = 120;

/// What happens to a product before it is stored.
template <class T>
struct Finish {
  bool accumulate = false;      ///< add to what is there
  bool relu = false;            ///< max(·, 0)
  const T* positive = nullptr;  ///< 0 where this matrix [m, n], of row stride `positive_stride`, is not above 0
  int64_t positive_stride = 0;
};

template <class T>
struct TileKernels {
  /// Elements that k x n weights take when packed.
  int64_t (*packed_size)(int64_t k, int64_t n);

  /// Packs w[i, j] = weights[i · row_stride + j · column_stride], i < k, j < n; the last panel is filled up with zeros.
  void (*pack)(const T* weights, int64_t k, int64_t n, int64_t row_stride, int64_t column_stride, T* packed);

  /// c [m, n] = a [m, k] w, finished. Columns of c up to the next multiple of the vector length are written too.
  void (*multiply)(int64_t m, int64_t n, int64_t k, const T* a, int64_t a_stride, const T* packed, T* c,
                   int64_t c_stride, const Finish<T>& finish);

  /// c [m, n] = aᵀ b with a [rows, m] and b [rows, n], or c += aᵀ b. Columns of b and c up to the next multiple of the
  /// vector length are read and written too.
  void (*multiply_transposed)(int64_t m, int64_t n, int64_t rows, const T* a, int64_t a_stride, const T* b,
                              int64_t b_stride, T* c, int64_t c_stride, bool add);

  /// c [n] = Σ_rows b [rows, n], or c += Σ_rows b.
  void (*sum_columns)(int64_t n, int64_t rows, const T* b, int64_t b_stride, T* c, bool add);

  /// Multiplications and additions (two per fused multiply-add) of a loop that does nothing else, `repeats` long: what
  /// the machine can do at most. The result depends on all of them.
  T (*peak)(int64_t repeats, int64_t* operations);
};

/// The kernels for this machine's instruction set.
template <class T>
const TileKernels<T>& tile_kernels();

}  // namespace logodds
