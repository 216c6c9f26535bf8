#pragma once

#include <cmath>

#include "core/device_loop.h"

// The arithmetic of models/ops/attention_pattern.h as device_loop.h runs it, for all runs at once; nvcc reads this.
// Tensors are contiguous.

namespace logodds {

inline constexpr int kMaxScoreRows = 8;    ///< positions that are attended to
inline constexpr int kMaxScoreTokens = 8;  ///< tokens that a row may depend on

struct ScoreRowList {
  struct Row {
    bool zero;
    int token_count;
    int64_t first;
    int64_t strides[kMaxScoreTokens];
  };
  int count;
  Row rows[kMaxScoreRows];
};

/// Element (run, sample, head): the softmax over positions, and what is made of it.
template <class T>
struct PatternForward {
  ScoreRowList list;
  int64_t samples, table_rows, heads, token_count, kept;
  T alpha;
  const T* scores;        ///< [R, table_rows, heads]
  const int64_t* tokens;  ///< [R, samples, token_count]
  T* softmaxes;           ///< [R, samples, heads, positions]
  T* out;                 ///< [R, samples, heads, kept]

  LOGODDS_DEVICE T score(int t, int64_t run, int64_t sample, int64_t head) const {
    const auto& row = list.rows[t];
    if (row.zero) return 0;
    int64_t index = row.first;
    for (int i = 0; i < row.token_count; ++i) {
      index += row.strides[i] * tokens[(run * samples + sample) * token_count + i];
    }
    return index >= 0 && index < table_rows ? scores[(run * table_rows + index) * heads + head] : T{0};
  }

  LOGODDS_DEVICE void operator()(int64_t run, int64_t sample, int64_t head) const {
    T all[kMaxScoreRows];
    T largest = score(0, run, sample, head), sum = 0;
    for (int t = 0; t < list.count; ++t) {
      all[t] = score(t, run, sample, head);
      if (all[t] > largest) largest = all[t];
    }
    for (int t = 0; t < list.count; ++t) sum += all[t] = std::exp(all[t] - largest);
    const int64_t i = (run * samples + sample) * heads + head;
    for (int t = 0; t < list.count; ++t) {
      softmaxes[i * list.count + t] = all[t] / sum;
      if (t < kept) out[i * kept + t] = alpha * (all[t] / sum) + (1 - alpha);
    }
  }
};

/// Element (run, row · heads + head) of the scores' gradient: Σ α p_t (g_t - Σ_u p_u g_u) over the samples and
/// positions t that read the row, g = 0 for positions that are not kept. Which they are stands in
/// models/ops/sample_groups.h, a group per position that reads scores.
template <class T>
struct PatternGradient {
  int64_t samples, table_rows, heads, positions, kept;
  T alpha;
  int groups;
  int64_t group_position[kMaxScoreRows];
  const int64_t* order;   ///< [R, groups, samples]
  const int64_t* starts;  ///< [R, groups, table_rows + 1]
  const T* softmaxes;     ///< [R, samples, heads, positions]
  const T* gradient;      ///< [R, samples, heads, kept]
  T* out;                 ///< [R, table_rows, heads]

  LOGODDS_DEVICE T of_sample(int64_t i, int64_t t) const {
    const T *p = softmaxes + i * positions, *g = gradient + i * kept;
    T mean = 0;
    for (int64_t u = 0; u < kept; ++u) mean += p[u] * g[u];
    return alpha * p[t] * ((t < kept ? g[t] : T{0}) - mean);
  }

  LOGODDS_DEVICE void operator()(int64_t run, int64_t element, const Warp& warp) const {
    const int64_t row = element / heads, head = element % heads;
    const T sum = warp.sum([&](int lane) {
      T part = 0;
      for (int group = 0; group < groups; ++group) {
        const int64_t* start = starts + (run * groups + group) * (table_rows + 1) + row;
        for (int64_t i = start[0] + lane; i < start[1]; i += Warp::kLanes) {
          const int64_t sample = order[(run * groups + group) * samples + i];
          part += of_sample((run * samples + sample) * heads + head, group_position[group]);
        }
      }
      return part;
    });
    warp.each([&](int lane) {
      if (lane == 0) out[run * table_rows * heads + element] = sum;
    });
  }
};

template <class T>
void run(const PatternForward<T>& work, int64_t runs, const Place& place);
template <class T>
void run(const PatternGradient<T>& work, int64_t runs, const Place& place);

}  // namespace logodds
