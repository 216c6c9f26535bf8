#pragma once

#include <cstdint>

// Products of a matrix that is mostly 0 with a dense one on plain memory: no LibTorch here. Four fifths of the pixels
// of a digit are 0, and a row of weights that meets a 0 need not be read. What costs is reading rows, so four rows of
// the sparse matrix are taken together: a row is read where any of them needs it, and then serves all four.

namespace logodds {

inline constexpr int64_t kGroup = 4;

/// Rows of a matrix in groups of kGroup, of which the last may be smaller. Group g has entries begin[g] …
/// begin[g]+count[g]-1, each a column and kGroup values, not all 0.
template <class T>
struct RowGroups {
  int64_t rows;
  const int64_t *begin, *count;
  const int32_t* column;
  const T* value;
};

template <class T>
struct SparseKernels {
  /// Elements of a vector: a row of b below takes a multiple of them.
  int64_t lanes;

  /// Writes the entries of a group of rows of n elements; returns how many. NaN is not 0. There must be room for n.
  int64_t (*find_entries)(const T* const rows[kGroup], int64_t n, int32_t* columns, T* values);

  /// The same for the transposed matrix, row by row: a row of n elements is column `number` of groups of kGroup
  /// neighbouring elements each, whose entries it is added to; count grows.
  void (*add_column)(const T* row, int64_t n, int32_t number, const int64_t* begin, int64_t* count, int32_t* columns,
                     T* values);

  /// c [a.rows, n] = start + a b, with rows of b `b_stride` apart; `start` is c itself where it is null, else one row
  /// for all. relu: max(·, 0). Columns of b and start up to the next multiple of `lanes` are read, too, and not used.
  void (*multiply)(const RowGroups<T>& a, int64_t n, const T* b, int64_t b_stride, const T* start, bool relu, T* c,
                   int64_t c_stride);
};

/// The kernels for this machine's instruction set.
template <class T>
const SparseKernels<T>& sparse_kernels();

}  // namespace logodds
