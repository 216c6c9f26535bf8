#pragma once

#include <vector>

#include "core/tensor.h"
#include "models/ops/row_mix_kernel.h"

namespace logodds {

/// Everything before the first nonlinearity of a token network is a weighted sum of table rows:
///   out[b,:] = base + Σ_t weights[b, t.weight] · table[t.first_row + tokens[b, t.position], :]
/// Its tensors: table [R,N,W], W a multiple of kColumnAlign; base [R,W] and weights [R,B,C], either may be undefined.
struct Mix {
  Tensor table_RNW, base_RW, weights_RBC;
  std::vector<MixTerm> terms;
};

/// out [R,B,W], differentiable in the tensors of the mix; tokens [R,B,T] are whole numbers. On a CPU in float32 and
/// float64 by vectorised kernels whose sums do not depend on the number of threads; on a GPU by row_mix_by_loops.
Tensor row_mix(const Mix& mix, const Tensor& tokens_RBT);

/// The same by models/ops/row_mix_loops.h, on any device: slow on a CPU, where tests hold it against row_mix.
Tensor row_mix_by_loops(const Mix& mix, const Tensor& tokens_RBT);

/// Run `run` of a mix of contiguous tensors, for the kernels.
template <class T>
RowMix<T> mix_of_run(const Mix& mix, const Tensor& tokens_RBT, int64_t run);

/// Columns side by side, each part filled up with zeros to a multiple of kColumnAlign: [x | 0 | y | 0] along the last
/// dimension; y may be undefined.
Tensor aligned_columns(const Tensor& x, const Tensor& y = {});

}  // namespace logodds
