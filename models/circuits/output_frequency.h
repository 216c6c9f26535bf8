#pragma once

#include "models/circuits/group_modes.h"

namespace logodds {

/// Fourier circuits: the logits of each input, centred over the classes c = 0 … V-1, split by their frequency κ in c.
///   f_κ[b,c] = Re[ G_κ[b] e^{-i w_κ c} ],  w_κ = 2πκ/V,  κ = 1 … ⌊V/2⌋ inclusive
/// Complete: Σ_κ f_κ = f; parts of different κ are orthogonal. Computed in the logits' dtype.
///
/// On all pairs (a, b) of Z_p, p = V, each G_κ splits once more by its modes in (a, b):
///   sum         (κ,κ): A cos w(a+b-c) + B sin w(a+b-c)
///   difference  ±(κ,-κ): functions of a-b
///   linear      (i,0) and (0,j), any i and j: functions of a plus functions of b
///   rest        all others
/// These four are orthogonal too. With the option `split` they are the parts: "κ=14 sum", "κ=14 difference", ….
class OutputFrequency : public GroupModes {
 public:
  struct Options {
    bool split = false;
    void fields(Fields& fields);
  };

  /// No grid of inputs is needed.
  explicit OutputFrequency(const Tensor& logits_BV);

  /// Throws Error for `split` where the inputs are not all pairs of Z_V in the order a·V + b.
  OutputFrequency(const Options& options, const Observed& observed);

  bool split() const { return size() > basis().size(0) / 2; }

  /// κ of part p where the parts are not split.
  static int64_t frequency(int64_t p) { return p + 1; }

  /// With A_κ = (2/(BV)) Σ_b Σ_c f[b,c] cos w_κ(y_b - c) as coefficient, (1/(BV)) Σ for even V and κ = V/2. None for
  /// `split`.
  std::string template_name() const override { return split() ? "" : "cosine"; }

 private:
  OutputFrequency(const Tensor& logits_BV, int64_t grid_modulus);
};

/// Where each frequency's energy lies among the modes of the inputs: shares of its own energy by Parseval, each [P].
struct InputModes {
  Tensor sum_P;
  Tensor difference_P;
  Tensor linear_P;
  Tensor rest_P;
  Tensor cosine_P;      ///< A_κ of A cos w(a+b-c) + B sin w(a+b-c), nats
  Tensor sine_P;        ///< B_κ
  Tensor amplitude_PD;  ///< A_κ(d), d = a-b mod p: the coefficient of cos w(a+b-c) among the pairs with that difference
};

/// For logits [p²,p] on all pairs of Z_p in the order a·p + b.
InputModes input_modes(const Tensor& logits_BV);

}  // namespace logodds
