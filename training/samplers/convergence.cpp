#include "training/samplers/convergence.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

namespace logodds {

namespace {

/// Each chain in halves, [2R, D/2]; of an odd number of draws the middle one is left out.
Tensor split(const Tensor& draws_RD) {
  const int64_t half = draws_RD.size(1) / 2;
  return at::cat({draws_RD.narrow(1, 0, half), draws_RD.narrow(1, draws_RD.size(1) - half, half)});
}

/// Normal scores of the ranks among all draws, Φ⁻¹((rank - 3/8) / (S + 1/4)); ties share their mean rank.
Tensor rank_normalised(const Tensor& draws) {
  const Tensor flat = draws.flatten(), sorted = std::get<0>(flat.sort());
  const Tensor below = at::searchsorted(sorted, flat), upto = at::searchsorted(sorted, flat, false, /*right=*/true);
  const Tensor rank = (below + upto + 1).to(at::kDouble) / 2;
  return at::special_ndtri((rank - 0.375) / (static_cast<double>(flat.numel()) + 0.25)).view(draws.sizes());
}

/// W and Var⁺ = (N-1)/N W + B/N of chains that are split already.
struct Variances {
  double within, total;
};
Variances variances(const Tensor& chains_MN) {
  const auto N = static_cast<double>(chains_MN.size(1));
  const double within = chains_MN.var(1).mean().item<double>(), means = chains_MN.mean(1).var(0).item<double>();
  return {within, within * (N - 1) / N + means};
}

double r_hat_of(const Tensor& chains_MN) {
  const Variances v = variances(chains_MN);
  return std::sqrt(v.total / v.within);
}

/// Mean over the chains of the autocovariances [N], each divided by N, by the fast Fourier transform.
Tensor mean_autocovariance(const Tensor& chains_MN) {
  const int64_t N = chains_MN.size(1);
  const Tensor centred = chains_MN - chains_MN.mean(1, /*keepdim=*/true);
  const Tensor spectrum = at::fft_rfft(centred, 2 * N).abs().square();
  return at::fft_irfft(spectrum.to(at::kComplexDouble), 2 * N).narrow(1, 0, N).mean(0) / static_cast<double>(N);
}

/// Effective sample size of chains that are split already: Geyer's initial monotone sequence.
double size_of(const Tensor& chains_MN) {
  const int64_t M = chains_MN.size(0), N = chains_MN.size(1);
  const auto draws = static_cast<double>(M * N);
  if ((chains_MN.max() - chains_MN.min()).item<double>() == 0) return draws;
  const Tensor covariance = mean_autocovariance(chains_MN).contiguous();
  const double* c = covariance.const_data_ptr<double>();
  const Variances v = variances(chains_MN);
  const auto rho = [&](int64_t lag) { return lag == 0 ? 1.0 : 1 - (v.within - c[lag]) / v.total; };

  std::vector<double> pairs{rho(0) + rho(1)};  // of neighbouring lags, as long as they are positive
  int64_t lag = 2;
  bool ended = false;
  for (; lag < N - 2 && !ended; lag += ended ? 0 : 2) {
    const double pair = rho(lag) + rho(lag + 1);
    ended = !(pair > 0);
    if (!ended) pairs.push_back(std::min(pair, pairs.back()));
  }
  if (!ended && pairs.size() > 1) pairs.pop_back(), lag -= 2;  // there was no more: the last pair counts as the end
  double sum = -1;
  if (lag < N) sum += std::max(rho(lag), 0.0);  // the next even lag alone: less variance for antithetic chains
  for (const double pair : pairs) sum += 2 * pair;
  return draws / std::max(sum, 1 / std::log10(draws));
}

double quantile_size(const Tensor& draws_RD, double q) {
  const Tensor below = (draws_RD <= at::quantile(draws_RD.flatten(), q)).to(at::kDouble);
  return size_of(split(below));
}

}  // namespace

Convergence convergence(const Tensor& draws_RD) {
  if (draws_RD.size(0) == 0 || draws_RD.size(1) < 4 || !draws_RD.isfinite().all().item<bool>()) return {NAN, NAN, NAN};
  const Tensor halves = split(draws_RD), ranked = rank_normalised(halves);
  const Tensor folded = (halves - at::quantile(halves.flatten(), 0.5)).abs();
  return {std::max(r_hat_of(ranked), r_hat_of(rank_normalised(folded))), size_of(ranked),
          std::min(quantile_size(draws_RD, 0.05), quantile_size(draws_RD, 0.95))};
}

}  // namespace logodds
