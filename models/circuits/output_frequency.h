#pragma once

#include "models/circuits/circuits.h"

namespace logodds {

/// Fourier circuits: the logits of each input, centred over the classes c = 0 … V-1, split by their frequency κ in c.
///   f_κ[b,c] = Σ over the orthonormal modes {√(2/V) cos w_κ c, √(2/V) sin w_κ c} of the projection of f[b,·],
///   w_κ = 2πκ/V, κ = 1 … ⌊V/2⌋ (for even V the last one has the cosine only). Complete: Σ_κ f_κ = f.
/// Parts of different κ are orthogonal. No grid of inputs is needed. Computed in the logits' dtype.
class OutputFrequency : public Circuits {
 public:
  explicit OutputFrequency(const Tensor& logits_BV);

  const std::vector<std::string>& labels() const override { return labels_; }
  Tensor part(int64_t p) const override { return sum({p}); }
  Tensor sum(const std::vector<int64_t>& parts) const override;
  Tensor at_class(int64_t p, const Tensor& classes_B) const override;

  static int64_t frequency(int64_t p) { return p + 1; }

  /// Share of each part in the energy Σ f², [P]; sums to 1 (Parseval). 0 where the logits are constant.
  Tensor energy_shares() const;

  /// A_κ = (2/(BV)) Σ_b Σ_c f[b,c] cos w_κ(y_b - c), [P], nats: the coefficient of cos w_κ(y - c), which is
  /// cos w_κ(a+b-c) for modular addition. (For even V the last one is (1/(BV)) Σ.)
  Tensor cosine_coefficients(const Tensor& targets_B) const;

  /// Fraction of the variance of the centred logits that A_κ cos w_κ(y - c) explains, [P]. Over all inputs the
  /// cosines of different κ are orthogonal, so the figures add.
  Tensor cosine_fve(const Tensor& targets_B) const;

  /// Σ_{κ in parts} A_κ cos w_κ(y - c), [B,V], with the given coefficients [P]: a function of y - c alone.
  Tensor cosines(const std::vector<int64_t>& parts, const Tensor& coefficients_P, const Tensor& targets_B) const;

 protected:
  Tensor zeros() const override;

 private:
  Tensor columns(const std::vector<int64_t>& parts) const;
  at::TensorOptions classes_options() const;  ///< whole numbers, on the logits' device

  std::vector<std::string> labels_;
  Tensor basis_VM_;         ///< orthonormal modes; part p owns columns 2p and 2p+1
  Tensor coefficients_BM_;  ///< of the centred logits
};

}  // namespace logodds
