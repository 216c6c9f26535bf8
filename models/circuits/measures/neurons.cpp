#include "models/circuits/measures/neurons.h"

#include <ATen/ATen.h>

#include <cmath>
#include <numbers>

#include "core/error.h"
#include "models/circuits/grid.h"
#include "models/circuits/measures/fourier.h"

namespace logodds {

namespace {

/// Phase φ of column j's cos(w x + φ) at its own frequency, [M].
Tensor phases(const Tensor& x_pM, const Tensor& frequency_M) {
  const Tensor spectrum = at::fft_rfft(x_pM.to(at::kDouble), {}, 0);  // Σ_x cos(wx + φ) e^{-iwx} = (p/2) e^{iφ}
  return at::angle(spectrum.gather(0, frequency_M.unsqueeze(0)).squeeze(0));
}

}  // namespace

Neurons neurons(const Observed& observed) {
  const int64_t p = grid_modulus(observed.inputs_BT);
  if (p == 0) throw Error("phases of neurons need all pairs (a, b) of Z_p as inputs");
  const LogitPaths paths = observed.model.paths(observed.parameters, observed.inputs_BT);
  const auto [frequency, share, shares] = grid_frequencies(paths.paths[paths.neurons].source, p);
  const Tensor pre_Mpp = on_grid(paths.pre_BM.to(at::kDouble), p);
  const Tensor of_a = pre_Mpp.mean(2).t(), of_b = pre_Mpp.mean(1).t();  // [p,M]
  const Tensor of_c = paths.paths[paths.neurons].map_IV.to(at::kDouble).t();
  Neurons result{.frequency_M = frequency,
                 .share_M = share,
                 .shares_MK = shares,
                 .phase_a_M = phases(of_a, frequency),
                 .phase_b_M = phases(of_b, frequency),
                 .phase_out_M = {},
                 .phase_error_M = {},
                 .ipr_in_M = inverse_participation(of_a),
                 .ipr_out_M = inverse_participation(of_c)};
  if (of_c.size(0) == p) {
    result.phase_out_M = phases(of_c, frequency);
    const double turn = 2 * std::numbers::pi;
    const Tensor error = (result.phase_a_M + result.phase_b_M - result.phase_out_M).remainder(turn);
    result.phase_error_M = at::minimum(error, turn - error).masked_fill(frequency.eq(0), std::nan(""));
  }
  return result;
}

}  // namespace logodds
