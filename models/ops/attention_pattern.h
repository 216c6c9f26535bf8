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

/// Attention of the position that is read, from scores that depend on few tokens: over the positions `rows`,
///   out[b, h·P + t] = α softmax_t(scores[rows[t], h]) + 1 - α,   t < P = kept,
/// for the first `kept` positions alone; [R, B, H·P]. Differentiable in scores [R,N,H]; tokens [R,B,T].
Tensor attention_pattern(const Tensor& scores_RNH, const Tensor& tokens_RBT, const std::vector<ScoreRow>& rows,
                         int64_t kept, double alpha);

}  // namespace logodds
