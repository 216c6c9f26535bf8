#include "models/circuits/output_frequency.h"

#include <ATen/ATen.h>

#include <cmath>
#include <numbers>

#include "core/log_odds.h"

namespace logodds {

namespace {

/// Orthonormal cosine and sine modes of κ = 1 … ⌊V/2⌋ as columns [V, V-1], computed in float64.
Tensor fourier_basis(int64_t classes) {
  Tensor basis = at::zeros({classes, classes - 1}, at::kDouble);
  auto entry = basis.accessor<double, 2>();
  for (int64_t mode = 0; mode < classes - 1; ++mode) {
    const int64_t frequency = mode / 2 + 1;
    const bool alone = 2 * frequency == classes;
    const double norm = std::sqrt((alone ? 1.0 : 2.0) / static_cast<double>(classes));
    for (int64_t c = 0; c < classes; ++c) {
      // The angle is reduced in integers: w κ c for large κ c loses digits.
      const double angle =
          2 * std::numbers::pi * static_cast<double>(frequency * c % classes) / static_cast<double>(classes);
      entry[c][mode] = norm * (mode % 2 == 0 ? std::cos(angle) : std::sin(angle));
    }
  }
  return basis;
}

}  // namespace

OutputFrequency::OutputFrequency(const Tensor& logits_BV) {
  const int64_t classes = logits_BV.size(1);
  basis_VM_ = fourier_basis(classes).to(logits_BV.options());
  coefficients_BM_ = at::mm(centred(logits_BV), basis_VM_);
  for (int64_t p = 0; p < classes / 2; ++p) labels_.push_back("κ=" + std::to_string(frequency(p)));
}

Tensor OutputFrequency::zeros() const {
  return at::zeros({coefficients_BM_.size(0), basis_VM_.size(0)}, basis_VM_.options());
}

Tensor OutputFrequency::columns(const std::vector<int64_t>& parts) const {
  std::vector<int64_t> columns;
  for (const int64_t p : parts) {
    columns.push_back(2 * p);
    if (2 * p + 1 < basis_VM_.size(1)) columns.push_back(2 * p + 1);
  }
  return at::tensor(columns, at::kLong).to(basis_VM_.device());
}

Tensor OutputFrequency::sum(const std::vector<int64_t>& parts) const {
  if (parts.empty()) return zeros();
  const Tensor index = columns(parts);
  return at::mm(coefficients_BM_.index_select(1, index), basis_VM_.index_select(1, index).t());
}

Tensor OutputFrequency::at_class(int64_t p, const Tensor& classes_B) const {
  const Tensor index = columns({p});
  return (coefficients_BM_.index_select(1, index) * basis_VM_.index_select(1, index).index_select(0, classes_B)).sum(1);
}

Tensor OutputFrequency::energy_shares() const {
  const Tensor energy = at::zeros({size()}, basis_VM_.options().dtype(at::kDouble));
  const Tensor owner = at::arange(basis_VM_.size(1), classes_options()).div(2, "floor");
  energy.index_add_(0, owner, coefficients_BM_.to(at::kDouble).square().sum(0));
  return energy / energy.sum().clamp_min(1e-300);
}

Tensor OutputFrequency::cosine_coefficients(const Tensor& targets_B) const {
  // Σ_c f[b,c] cos w(y-c) = Σ_modes coefficient[b,mode] · basis[y,mode] / norm², norm² = 2/V (1/V for κ = V/2), so the
  // prefactors cancel: A_κ = (1/B) Σ_b Σ_modes …
  std::vector<Tensor> means;
  for (int64_t p = 0; p < size(); ++p) means.push_back(at_class(p, targets_B).to(at::kDouble).mean());
  return at::stack(means);
}

Tensor OutputFrequency::cosine_fve(const Tensor& targets_B) const {
  const double samples = static_cast<double>(coefficients_BM_.size(0));
  const double classes = static_cast<double>(basis_VM_.size(0));
  Tensor energy = cosine_coefficients(targets_B).square() * (samples * classes / 2);
  if (basis_VM_.size(0) % 2 == 0) energy[size() - 1].mul_(2);
  return energy / coefficients_BM_.to(at::kDouble).square().sum().clamp_min(1e-300);
}

Tensor OutputFrequency::cosines(const std::vector<int64_t>& parts, const Tensor& coefficients_P,
                                const Tensor& targets_B) const {
  const int64_t classes = basis_VM_.size(0);
  const Tensor classes_V = at::arange(classes, classes_options());
  Tensor template_V = at::zeros({classes}, basis_VM_.options().dtype(at::kDouble));  // as a function of (y - c) mod V
  for (const int64_t p : parts) {
    const Tensor angle = (classes_V * frequency(p)).remainder(classes).to(at::kDouble) *
                         (2 * std::numbers::pi / static_cast<double>(classes));
    template_V += coefficients_P[p] * angle.cos();
  }
  const Tensor difference = (targets_B.unsqueeze(1) - classes_V.unsqueeze(0)).remainder(classes);
  return template_V.index({difference}).to(basis_VM_.scalar_type());
}

at::TensorOptions OutputFrequency::classes_options() const {
  return at::TensorOptions().dtype(at::kLong).device(basis_VM_.device());
}

}  // namespace logodds
