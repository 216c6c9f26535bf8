#pragma once

#include "models/circuits/circuits.h"

namespace logodds {

/// Decompositions whose parts are sums of modes: fixed vectors over the classes, each times a coefficient per sample.
///   f_p[b,c] = Σ over the modes m of part p of coefficient[b,m] · mode[c,m]
/// The vectors are orthonormal; the same one may serve several parts.
class ClassModes : public Circuits {
 public:
  const std::vector<std::string>& labels() const override { return modes_.labels; }
  Tensor part(int64_t p) const override { return sum({p}); }
  Tensor sum(const std::vector<int64_t>& parts) const override;
  Tensor at_class(int64_t p, const Tensor& classes_B) const override;
  Tensor at_classes(const Tensor& classes_B) const override;
  Tensor mean_at_classes(const Tensor& classes_B) const override;
  Tensor inner(const Tensor& x_BV) const override;
  std::optional<Tensor> energies_in(const Tensor& x_BV) const override;
  std::optional<Tensor> energies() const override;

 protected:
  struct Modes {
    std::vector<std::string> labels;
    std::vector<int64_t> first;  ///< part p owns modes first[p] … first[p+1]-1
    Tensor basis_VM;
    Tensor coefficients_BM;
    bool distinct = true;  ///< no vector serves two parts: the parts are orthogonal projections
  };
  explicit ClassModes(Modes modes) : modes_(std::move(modes)) {}

  Tensor zeros() const override;
  const Tensor& basis() const { return modes_.basis_VM; }
  const Tensor& coefficients() const { return modes_.coefficients_BM; }
  /// Numbers of the modes of some parts; how many each part has, [P].
  Tensor columns(const std::vector<int64_t>& parts) const;
  Tensor ranks() const;

 private:
  /// Sums over the modes of each part: [M,...] to [P,...].
  Tensor per_part(const Tensor& per_mode) const;

  Modes modes_;
};

}  // namespace logodds
