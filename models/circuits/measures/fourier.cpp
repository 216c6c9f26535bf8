#include "models/circuits/measures/fourier.h"

#include <ATen/ATen.h>

#include <algorithm>

namespace logodds {

Tensor frequency_energies(const Tensor& x_pN) {
  const int64_t p = x_pN.size(0);
  Tensor energy = at::fft_rfft(x_pN.to(at::kDouble), {}, 0).abs().square() / static_cast<double>(p);
  const int64_t paired = (p - 1) / 2;  // frequencies that have a -κ
  energy.narrow(0, 1, paired).mul_(2);
  return energy;
}

double gini_of_frequencies(const Tensor& x_pN) {
  const Tensor energy = frequency_energies(x_pN).sum(1);
  const Tensor norm = std::get<0>(energy.narrow(0, 1, energy.size(0) - 1).sqrt().sort());
  const auto K = static_cast<double>(norm.size(0));
  const Tensor rank = at::arange(1, norm.size(0) + 1, at::kDouble);
  return ((2 * rank - K - 1) * norm).sum().item<double>() / (K * norm.sum().clamp_min(1e-300).item<double>());
}

Tensor inverse_participation(const Tensor& x_pN) {
  const Tensor all = frequency_energies(x_pN), energy = all.narrow(0, 1, all.size(0) - 1);
  return energy.square().sum(0) / energy.sum(0).square().clamp_min(1e-300);
}

double circularity(const Tensor& x_pN) {
  const Tensor x = x_pN.to(at::kDouble), from_mean = x - x.mean(0, true);
  const Tensor components = std::get<0>(at::linalg_svd(from_mean, false));  // columns: coordinates up to their length
  const int64_t count = std::min<int64_t>(4, components.size(1));
  const Tensor v = components.narrow(1, 0, count), p_v2 = v.square().sum(0) * static_cast<double>(x.size(0));
  const Tensor power = 2 * at::fft_rfft(v, {}, 0).abs().square() / p_v2;
  return std::get<0>(power.narrow(0, 1, power.size(0) - 1).max(0)).mean().item<double>();
}

}  // namespace logodds
