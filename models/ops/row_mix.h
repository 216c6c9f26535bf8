#pragma once

#include <vector>

#include "core/tensor.h"
#include "models/ops/row_mix_kernel.h"

namespace logodds {

/// Everything before the first nonlinearity of a token network is a weighted sum of table rows:
///   pre[b,:] = Σ_t weights[b, t.weight] · table[t.first_row + tokens[b, t.position], :]
/// The table's columns are [hidden units, padded | direct logits, padded], each part padded to kMixAlign columns.
/// Returns hidden = φ(pre[:, :hidden]) [R,B,M], φ = relu or the identity, and direct = pre's other columns [R,B,V]
/// (undefined where `direct` is 0). Differentiable in table [R,N,W] and weights [R,B,C]; tokens [R,B,T] are whole
/// numbers. On a CPU in float32 and float64 by vectorised kernels whose sums do not depend on the number of threads;
/// elsewhere by LibTorch's operators.
struct Mixed {
  Tensor hidden_RBM;
  Tensor direct_RBV;
};
Mixed row_mix(const Tensor& table_RNW, const Tensor& tokens_RBT, const std::vector<MixTerm>& terms,
              const Tensor& weights_RBC, int64_t hidden, int64_t direct, bool relu);

/// Columns side by side as row_mix wants them: [x | 0 | y | 0] along the last dimension; y may be undefined.
Tensor mix_columns(const Tensor& x, const Tensor& y = {});

}  // namespace logodds
