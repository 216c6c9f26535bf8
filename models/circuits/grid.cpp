#include "models/circuits/grid.h"

#include <ATen/ATen.h>

#include <cmath>

namespace logodds {

int64_t grid_modulus(const Tensor& inputs_BT) {
  const auto p = static_cast<int64_t>(std::llround(std::sqrt(static_cast<double>(inputs_BT.size(0)))));
  if (inputs_BT.size(1) != 2 || p < 2 || p * p != inputs_BT.size(0)) return 0;
  const Tensor order = at::arange(p * p, inputs_BT.options());
  const Tensor grid = at::stack({order.div(p, "floor"), order.remainder(p)}, 1);
  return at::equal(grid, inputs_BT) ? p : 0;
}

Tensor on_grid(const Tensor& x_BN, int64_t p) { return x_BN.t().reshape({x_BN.size(1), p, p}); }

GridFrequencies grid_frequencies(const Tensor& x_BN, int64_t p) {
  const int64_t half = p / 2;
  std::vector<Tensor> frequencies, shares, all_shares;
  for (const Tensor& x : x_BN.split(64, 1)) {  // 64 spectra of 113 × 113 complex numbers are 13 MB
    Tensor energy = at::fft_fft2(on_grid(x, p).to(at::kDouble)).abs().square();
    energy.select(1, 0).select(1, 0).zero_();
    const Tensor total = energy.sum({1, 2});
    std::vector<Tensor> of_frequency;
    for (int64_t k = 1; k <= half; ++k) {
      const int64_t minus = p - k;  // = k where 2k = p: each mode is counted once
      const auto modes = [&](int64_t row, bool with_zero) {
        Tensor sum = energy.select(1, row).select(1, k).clone();
        if (minus != k) sum += energy.select(1, row).select(1, minus);
        return with_zero ? sum + energy.select(1, row).select(1, 0) : sum;
      };
      Tensor sum = modes(0, false) + modes(k, true);
      if (minus != k) sum = sum + modes(minus, true);
      of_frequency.push_back(sum);
    }
    const Tensor energies = at::stack(of_frequency, 1);
    const auto [best, index] = energies.max(1);
    // Rounding of the transform is not variance: 1e-24 of the function's own square.
    const Tensor constant = total <= 1e-24 * x.to(at::kDouble).square().sum(0) * static_cast<double>(p * p);
    frequencies.push_back((index + 1).masked_fill(constant, 0));
    shares.push_back((best / total).masked_fill(constant, 0));
    all_shares.push_back((energies / total.unsqueeze(1)).masked_fill(constant.unsqueeze(1), 0));
  }
  return {at::cat(frequencies), at::cat(shares), at::cat(all_shares)};
}

}  // namespace logodds
