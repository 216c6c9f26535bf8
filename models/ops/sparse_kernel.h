#pragma once

#include <cstdint>
#include <type_traits>

// Products of a sparse matrix with a dense one on plain memory: no LibTorch here. Four fifths of the pixels of a digit
// are 0, and a row of weights that meets a 0 need not be read.

namespace logodds {

/// Numbers columns; as wide as T, so that a vector of T has a vector of them.
template <class T>
using SparseColumn = std::conditional_t<sizeof(T) == 4, int32_t, int64_t>;

/// A matrix of which only the entries that are not 0 are there: row i has entries first[i] … first[i+1]-1, each a
/// column and a value.
template <class T>
struct SparseRows {
  int64_t rows;
  const int64_t* first;
  const SparseColumn<T>* column;
  const T* value;
};

template <class T>
struct SparseKernels {
  /// Elements of a vector: a row of b and c below takes a multiple of them.
  int64_t lanes;

  /// Writes columns and values of the entries of a row of n that are not 0; returns how many. NaN is not 0. There must
  /// be room for n, and `lanes` more.
  int64_t (*gather)(const T* row, int64_t n, SparseColumn<T>* columns, T* values);

  /// c [a.rows, n] = start + a b, with b [b_rows, n] whose rows are `b_stride` apart; `start` is c itself where it is
  /// null, else one row for all. relu: max(·, 0). Columns of b, c and start up to the next multiple of `lanes` are read
  /// and written too.
  void (*multiply)(const SparseRows<T>& a, int64_t n, const T* b, int64_t b_rows, int64_t b_stride, const T* start,
                   bool relu, T* c, int64_t c_stride);
};

/// The kernels for this machine's instruction set.
template <class T>
const SparseKernels<T>& sparse_kernels();

}  // namespace logodds
