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

/// Columns that are computed together: the slice of the table that they read stays in a core's second-level cache.
inline constexpr int64_t kMixBlock = 64;

/// The operands. Columns [0, hidden) of a mixed row go to `hidden_out`, rectified where `relu`; columns
/// [hidden_padded, hidden_padded + direct) to `direct_out`. hidden_padded and width are multiples of kMixAlign.
inline constexpr int64_t kMixAlign = 16;
template <class T>
struct RowMix {
  int64_t samples, positions, hidden, hidden_padded, direct, width, weight_count, term_count;
  bool relu;
  const MixTerm* terms;
  const int64_t* tokens;  ///< [samples, positions]
  const T* weights;       ///< [samples, weight_count]
  const T* table;         ///< [rows, width]
};

/// hidden_out[b,:], direct_out[b,:] for the columns [begin, end) of the table, begin a multiple of kMixAlign.
void row_mix_forward(const RowMix<float>& mix, int64_t begin, int64_t end, float* hidden_out, float* direct_out);
void row_mix_forward(const RowMix<double>& mix, int64_t begin, int64_t end, double* hidden_out, double* direct_out);

/// Adds to table_gradient [rows, width] in columns [begin, end), and sets weight_gradient [samples, weight_count] to
/// what these columns contribute. `hidden_out` is the forward result, of which relu's derivative needs the sign.
void row_mix_backward(const RowMix<float>& mix, int64_t begin, int64_t end, const float* hidden_out,
                      const float* hidden_gradient, const float* direct_gradient, float* table_gradient,
                      float* weight_gradient);
void row_mix_backward(const RowMix<double>& mix, int64_t begin, int64_t end, const double* hidden_out,
                      const double* hidden_gradient, const double* direct_gradient, double* table_gradient,
                      double* weight_gradient);

}  // namespace logodds
