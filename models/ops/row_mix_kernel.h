#pragma once

#include <cstdint>

// The arithmetic of models/ops/row_mix.h on plain memory, for one run: no LibTorch here.

namespace logodds {

/// One term of a mixed row: row first_row + tokens[b, position] (row first_row where position is -1), times
/// weights[b, weight] (times 1 where weight is -1).
struct MixTerm {
  int64_t position;
  int64_t first_row;
  int64_t weight;
};

/// The columns of tables, and of whatever is mixed from them, come in multiples of this: 64 bytes of float32.
inline constexpr int64_t kColumnAlign = 16;

constexpr int64_t aligned(int64_t columns) { return (columns + kColumnAlign - 1) / kColumnAlign * kColumnAlign; }

/// The operands, from some sample on.
template <class T>
struct RowMix {
  int64_t positions, width, weight_count, term_count;
  const MixTerm* terms;
  const int64_t* tokens;  ///< [samples, positions]
  const T* weights;       ///< [samples, weight_count]
  const T* table;         ///< [rows, width]
  const T* base;          ///< [width], or null for 0

  RowMix from(int64_t sample) const {
    RowMix rest = *this;
    rest.tokens += sample * positions;
    rest.weights += sample * weight_count;
    return rest;
  }
};

/// On columns [begin, end) of the table, both multiples of kColumnAlign; `stride` is that of samples.
template <class T>
struct RowMixKernels {
  /// out[b, c] = φ(base[begin + c] + Σ_t weight · table[row, begin + c]), φ = max(·, 0) for table columns before
  /// `relu_end`, a multiple of kColumnAlign, else the identity.
  void (*forward)(const RowMix<T>& mix, int64_t samples, int64_t begin, int64_t end, int64_t relu_end, T* out,
                  int64_t stride);

  /// Adds the gradients of table [rows, width], base [width] where there is one, and weights [samples, weight_count],
  /// given that of `out`, φ = identity. A table row that is not yet `filled` [rows] is put there instead, and then is;
  /// null: all are.
  void (*backward)(const RowMix<T>& mix, int64_t samples, int64_t begin, int64_t end, const T* gradient, int64_t stride,
                   T* table_gradient, bool* filled, T* base_gradient, T* weight_gradient);
};

/// The kernels for this machine's instruction set.
template <class T>
const RowMixKernels<T>& row_mix_kernels();

}  // namespace logodds
