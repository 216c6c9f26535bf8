#pragma once

#include "models/circuits/group_modes.h"
#include "models/groups/group.h"

namespace logodds {

/// Tasks whose classes form a group: the logits of each input, centred, as a function f(c) of the class c, projected on
/// the matrix coefficients of each irreducible representation ρ by its character,
///   f_ρ(c) = (d_ρ/|G|) Σ_h χ_ρ(h) f(h⁻¹c).
/// χ_ρ and its conjugate count as one part, with χ_ρ + χ̄_ρ in place of χ_ρ, so that all parts are real. The trivial
/// irrep is the mean over the classes, which is not there. Complete: Σ_ρ f_ρ = f; parts are orthogonal. On the cyclic
/// group these are the parts of output_frequency. Computed in the logits' dtype from a basis made in float64.
class IrreducibleRepresentations : public GroupModes {
 public:
  struct Options {
    void fields(Fields&) {}
  };

  /// Throws Error where the classes are not known to form a group.
  IrreducibleRepresentations(const Options& options, const Observed& observed);
  IrreducibleRepresentations(const Group& group, const Tensor& logits_BV);

  std::string template_name() const override { return "character"; }

  /// The irrep of part p.
  const Irrep& irrep(int64_t p) const { return irreps_[static_cast<size_t>(p)]; }

 private:
  std::vector<Irrep> irreps_;
};

}  // namespace logodds
