#include "models/circuits/evidence/random_model.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace logodds {

double random_model_loss(int64_t p, const std::vector<int64_t>& frequencies, const std::vector<double>& amplitudes) {
  std::vector<double> exponents;  // -m(δ)
  for (int64_t delta = 1; delta < p; ++delta) {
    double margin = 0;
    for (size_t i = 0; i < frequencies.size(); ++i) {
      const double sine =
          std::sin(std::numbers::pi * static_cast<double>(frequencies[i] * delta % p) / static_cast<double>(p));
      margin += 2 * amplitudes[i] * sine * sine;
    }
    exponents.push_back(-margin);
  }
  const double largest = std::max(0.0, *std::ranges::max_element(exponents));
  double sum = 0;  // of e^{-m - largest}, with 1 = e^0 kept apart: log1p keeps a small Z exact
  for (const double exponent : exponents) sum += std::exp(exponent - largest);
  return largest == 0 ? std::log1p(sum) : largest + std::log(std::exp(-largest) + sum);
}

}  // namespace logodds
