#include "models/circuits/group_modes.h"

#include <ATen/ATen.h>

namespace logodds {

Tensor GroupModes::template_fve(const Tensor& coefficients_P) const {
  // Σ_c τ(y,c)² = V / rank.
  const double entries = static_cast<double>(coefficients().size(0) * basis().size(0));
  const Tensor ranks_P = ranks().to(coefficients_P.device(), at::kDouble);
  return coefficients_P.square() * entries / ranks_P / coefficients().to(at::kDouble).square().sum().clamp_min(1e-300);
}

Tensor GroupModes::templates(const std::vector<int64_t>& parts, const Tensor& coefficients_P,
                             const Tensor& targets_B) const {
  const int64_t V = basis().size(0);
  Tensor template_VV = at::zeros({V, V}, basis().options().dtype(at::kDouble));
  for (const int64_t p : parts) {
    const Tensor modes_VM = basis().index_select(1, columns({p})).to(at::kDouble);
    const double scale = static_cast<double>(V) / static_cast<double>(modes_VM.size(1));
    template_VV += at::mm(modes_VM, modes_VM.t()) * (coefficients_P[p] * scale);
  }
  return template_VV.to(basis().scalar_type()).index_select(0, targets_B);
}

Tensor GroupModes::project(const Tensor& x_VN, const std::vector<int64_t>& parts) const {
  const Tensor modes_VM = basis().index_select(1, columns(parts));
  return at::mm(modes_VM, at::mm(modes_VM.t(), x_VN));
}

}  // namespace logodds
