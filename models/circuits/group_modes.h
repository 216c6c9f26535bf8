#pragma once

#include "models/circuits/class_modes.h"

namespace logodds {

/// Parts whose modes a group of shifts of the classes maps to themselves, so that to a part all classes look alike. Its
/// projection P_ρ [V,V] then has rank/V everywhere on the diagonal, and one template for each right answer y:
///   τ_ρ(y,c) = P_ρ[y,c] / P_ρ[y,y],  1 at c = y
/// which is cos w_κ(y - c) for a frequency and χ_ρ(y c⁻¹)/χ_ρ(1) for an irrep. A network that computes the group and
/// nothing else has logits Σ_ρ A_ρ τ_ρ.
class GroupModes : public ClassModes {
 public:
  /// What the templates are called in the names of figures; empty for parts that have none.
  virtual std::string template_name() const = 0;

  /// A_ρ: the least-squares coefficient of τ_ρ(y,·), [P], nats; also the part's mean evidence for the right class.
  Tensor template_coefficients(const Tensor& targets_B) const { return mean_at_classes(targets_B); }

  /// Fraction of the variance of the centred logits that A_ρ τ_ρ explains, [P], given the coefficients A_ρ. Over all
  /// inputs the templates of different parts are orthogonal, so the figures add.
  Tensor template_fve(const Tensor& coefficients_P) const;

  /// Σ_{ρ in parts} A_ρ τ_ρ(y,c), [B,V], with the given coefficients [P].
  Tensor templates(const std::vector<int64_t>& parts, const Tensor& coefficients_P, const Tensor& targets_B) const;

  /// Σ_{ρ in parts} P_ρ x of the columns of x [V,N].
  Tensor project(const Tensor& x_VN, const std::vector<int64_t>& parts) const;

 protected:
  using ClassModes::ClassModes;
};

}  // namespace logodds
