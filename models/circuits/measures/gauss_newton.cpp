#include "models/circuits/measures/gauss_newton.h"

#include <ATen/ATen.h>

namespace logodds {

CurvedDirections curved_directions(const Tensor& W_L_MV, const Tensor& logits_BV, int64_t most) {
  const Tensor p_BV = logits_BV.to(at::kDouble).softmax(1), W_L = W_L_MV.to(at::kDouble);
  const Tensor curvature_VV = at::diag(p_BV.mean(0)) - at::mm(p_BV.t(), p_BV) / static_cast<double>(p_BV.size(0));
  const auto [ascending, vectors] = at::linalg_eigh(at::mm(at::mm(W_L, curvature_VV), W_L.t()));
  const int64_t shown = std::min({most, (ascending > 1e-12 * ascending.max()).sum().item<int64_t>(), W_L.size(1) - 1});
  return {ascending.flip(0).narrow(0, 0, shown), vectors.flip(1).narrow(1, 0, shown)};
}

Tensor without_direction(const LogitPath& neurons, const Tensor& logits_BV, const Tensor& direction_M) {
  const Tensor along_B = at::mv(neurons.source, direction_M);
  return logits_BV - at::outer(along_B - along_B.mean(), at::mv(neurons.map_IV.t(), direction_M));
}

}  // namespace logodds
