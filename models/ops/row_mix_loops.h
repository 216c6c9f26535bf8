#pragma once

#include "core/device_loop.h"

// The arithmetic of models/ops/row_mix.h as device_loop.h runs it, for all runs at once; nvcc reads this. Tensors are
// contiguous. No two pieces write to the same place, and every sum runs in the order of the samples or columns.

namespace logodds {

/// Terms are handed to a kernel by value, so many at once.
inline constexpr int kTermsAtOnce = 64;

template <class T>
struct MixOperands {
  struct Term {
    int32_t position, first_row, weight;  ///< as MixTerm (row_mix_kernel.h)
  };
  int64_t samples, rows, width, positions, weight_count;
  const int64_t* tokens;  ///< [R, samples, positions]
  const T* weights;       ///< [R, samples, weight_count]
  const T* table;         ///< [R, rows, width]
  const T* base;          ///< [R, width], or null for 0
  bool first;             ///< these are the first terms: what they make is stored, later ones' is added
  int term_count;
  Term terms[kTermsAtOnce];

  /// The table row that a sample reads, among those of all runs; negative where there is none.
  LOGODDS_DEVICE int64_t row_of(const Term& term, int64_t run, int64_t sample) const {
    const int64_t token = term.position < 0 ? 0 : tokens[(run * samples + sample) * positions + term.position];
    const int64_t row = term.first_row + token;
    return row >= 0 && row < rows ? run * rows + row : -1;
  }
  LOGODDS_DEVICE T weight_of(const Term& term, int64_t run, int64_t sample) const {
    return term.weight < 0 ? T{1} : weights[(run * samples + sample) * weight_count + term.weight];
  }
};

/// Element (run, sample, column) of out = base + Σ_t weight · table row.
template <class T>
struct MixForward {
  MixOperands<T> mix;
  T* out;  ///< [R, samples, width]

  LOGODDS_DEVICE void operator()(int64_t run, int64_t sample, int64_t column) const {
    T* to = out + (run * mix.samples + sample) * mix.width + column;
    T sum = 0;
    if (!mix.first) {
      sum = *to;
    } else if (mix.base != nullptr) {
      sum = mix.base[run * mix.width + column];
    }
    for (int t = 0; t < mix.term_count; ++t) {
      const int64_t row = mix.row_of(mix.terms[t], run, sample);
      if (row >= 0) sum += mix.weight_of(mix.terms[t], run, sample) * mix.table[row * mix.width + column];
    }
    *to = sum;
  }
};

/// Element (run, row, column) of the table's gradient: Σ weight · gradient over the samples that read the row. Which
/// they are stands in models/ops/sample_groups.h, group `position` (group `positions` for terms without one).
template <class T>
struct MixTableGradient {
  MixOperands<T> mix;
  int64_t groups;
  const int64_t* order;   ///< [R, groups, samples]
  const int64_t* starts;  ///< [R, groups, rows + 1]
  const T* gradient;      ///< [R, samples, width]
  T* out;                 ///< [R, rows, width]

  LOGODDS_DEVICE void operator()(int64_t run, int64_t row, int64_t column) const {
    T* to = out + (run * mix.rows + row) * mix.width + column;
    T sum = mix.first ? T{0} : *to;
    for (int t = 0; t < mix.term_count; ++t) {
      const auto& term = mix.terms[t];
      const int64_t token = row - term.first_row;
      if (token < 0) continue;
      const int64_t group = run * groups + (term.position < 0 ? mix.positions : term.position);
      const int64_t* start = starts + group * (mix.rows + 1) + token;
      for (int64_t i = start[0]; i < start[1]; ++i) {
        const int64_t sample = order[group * mix.samples + i];
        sum += mix.weight_of(term, run, sample) * gradient[(run * mix.samples + sample) * mix.width + column];
      }
    }
    *to = sum;
  }
};

/// Element (run, sample · weight_count + weight) of the weights' gradient: Σ_columns table row · gradient.
template <class T>
struct MixWeightGradient {
  MixOperands<T> mix;
  const T* gradient;  ///< [R, samples, width]
  T* out;             ///< [R, samples, weight_count]

  LOGODDS_DEVICE void operator()(int64_t run, int64_t element, const Warp& warp) const {
    const int64_t sample = element / mix.weight_count, weight = element % mix.weight_count;
    const T* g = gradient + (run * mix.samples + sample) * mix.width;
    T* to = out + run * mix.samples * mix.weight_count + element;
    T sum = mix.first ? T{0} : *to;
    for (int t = 0; t < mix.term_count; ++t) {
      const int64_t row = mix.terms[t].weight == weight ? mix.row_of(mix.terms[t], run, sample) : -1;
      if (row < 0) continue;
      const T* from = mix.table + row * mix.width;
      sum += warp.sum([&](int lane) {
        T part = 0;
        for (int64_t column = lane; column < mix.width; column += Warp::kLanes) part += from[column] * g[column];
        return part;
      });
    }
    warp.each([&](int lane) {
      if (lane == 0) *to = sum;
    });
  }
};

template <class T>
void run(const MixForward<T>& work, int64_t runs, const Place& place);
template <class T>
void run(const MixTableGradient<T>& work, int64_t runs, const Place& place);
template <class T>
void run(const MixWeightGradient<T>& work, int64_t runs, const Place& place);

}  // namespace logodds
