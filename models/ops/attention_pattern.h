#pragma once

#include <vector>

#include "core/tensor.h"

namespace logodds {

/// Where a sample's score for one position stands in a table: row first + Σ_t stride[t] · tokens[t], or nowhere, where
/// the score is 0.
struct ScoreRow {
  bool zero = false;
  int64_t first = 0;
  std::vector<int64_t> strides{};
};

/// Attention of the position that is read, from scores [R,N,H] that depend on few tokens [R,B,T]:
///   weights[b, h·P + t] = α softmax_t(scores[rows[t], h]) + 1 - α,   t < P = kept,
/// over the positions `rows`, for the first `kept` of them alone.
struct AttentionPattern {
  std::vector<ScoreRow> rows;
  int64_t kept;
  double alpha;

  struct Value {
    Tensor weights;  ///< [R,B,H·P]
    Tensor softmax;  ///< [R,B,H,positions], for the gradient
  };
  Value operator()(const Tensor& scores_RNH, const Tensor& tokens_RBT) const;

  /// Gradient of the scores [R,N,H], given that of the weights: α p_t (g_t - Σ_u p_u g_u) summed over the samples.
  Tensor gradient(const Tensor& softmax, const Tensor& tokens_RBT, const Tensor& weight_gradient, int64_t N) const;

  /// The same by models/ops/attention_pattern_loops.h, on any device: what a GPU runs. Tests hold them against the
  /// above.
  Value by_loops(const Tensor& scores_RNH, const Tensor& tokens_RBT) const;
  Tensor gradient_by_loops(const Tensor& softmax, const Tensor& tokens_RBT, const Tensor& weight_gradient,
                           int64_t N) const;
};

}  // namespace logodds
