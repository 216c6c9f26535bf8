#include "models/circuits/output_frequency.h"

#include <ATen/ATen.h>

#include <cmath>
#include <numbers>

#include "core/error.h"
#include "core/log_odds.h"
#include "models/circuits/grid.h"

namespace logodds {

void OutputFrequency::Options::fields(Fields& fields) {
  fields.flag({"split", "split each frequency into sum, difference, linear and other modes of the inputs"}, split);
}

namespace {

/// Orthonormal cosine and sine modes of κ = 1 … ⌊V/2⌋ as columns [V, V-1], computed in float64.
Tensor fourier_basis(int64_t classes) {
  Tensor basis = at::zeros({classes, classes - 1}, at::kDouble);
  auto entry = basis.accessor<double, 2>();
  for (int64_t mode = 0; mode < classes - 1; ++mode) {
    const int64_t frequency = mode / 2 + 1;
    const bool alone = 2 * frequency == classes;
    const double norm = std::sqrt((alone ? 1.0 : 2.0) / static_cast<double>(classes));
    for (int64_t c = 0; c < classes; ++c) {
      // The angle is reduced in integers: w κ c for large κ c loses digits.
      const double angle =
          2 * std::numbers::pi * static_cast<double>(frequency * c % classes) / static_cast<double>(classes);
      entry[c][mode] = norm * (mode % 2 == 0 ? std::cos(angle) : std::sin(angle));
    }
  }
  return basis;
}

constexpr const char* kDirections[] = {"sum", "difference", "linear", "rest"};

/// Number of each input mode's direction at frequency κ, [p,p].
Tensor directions(int64_t p, int64_t frequency) {
  Tensor direction = at::full({p, p}, 3, at::kLong);
  direction.select(0, 0).fill_(2);
  direction.select(1, 0).fill_(2);
  direction[frequency][p - frequency].fill_(1);
  direction[p - frequency][frequency].fill_(1);
  direction[frequency][frequency].fill_(0);
  return direction;
}

/// Amplitudes G_κ(a,b) of one frequency, [p,p] complex, from its coefficients [p²] of the cosine and the sine mode
/// (undefined where V is even and κ = V/2).
Tensor amplitudes(const Tensor& cosine_B, const Tensor& sine_B, int64_t p) {
  const Tensor cosine = cosine_B.to(at::kDouble),
               sine = sine_B.defined() ? sine_B.to(at::kDouble) : at::zeros_like(cosine);
  const double norm = std::sqrt((sine_B.defined() ? 2.0 : 1.0) / static_cast<double>(p));
  return at::complex(cosine, sine).mul(norm).view({p, p});
}

struct Frequency {
  int64_t first;  ///< its first mode
  int64_t modes;  ///< 2, or 1 for κ = V/2
};
Frequency modes_of(int64_t frequency, int64_t classes) {
  return {2 * (frequency - 1), 2 * frequency == classes ? 1 : 2};
}

struct Coefficients {
  Tensor basis_VM;
  Tensor coefficients_BM;

  explicit Coefficients(const Tensor& logits_BV)
      : basis_VM(fourier_basis(logits_BV.size(1)).to(logits_BV.options())),
        coefficients_BM(at::mm(centred(logits_BV), basis_VM)) {}

  Tensor amplitudes(int64_t frequency) const {
    const auto [first, modes] = modes_of(frequency, basis_VM.size(0));
    return logodds::amplitudes(coefficients_BM.select(1, first),
                               modes == 2 ? coefficients_BM.select(1, first + 1) : Tensor(), basis_VM.size(0));
  }
};

/// The modes of the parts; split by the direction among the inputs where these are all pairs of Z_p.
auto frequency_modes(const Tensor& logits_BV, int64_t p, auto modes) {
  const Coefficients whole(logits_BV);
  const int64_t classes = logits_BV.size(1);
  modes.first = {0};
  std::vector<Tensor> basis, coefficients;
  for (int64_t frequency = 1; frequency <= classes / 2; ++frequency) {
    const std::string label = "κ=" + std::to_string(frequency);
    const auto [first, count] = modes_of(frequency, classes);
    for (int64_t d = 0; d < (p > 0 ? 4 : 1); ++d) {
      modes.labels.push_back(p > 0 ? label + " " + kDirections[d] : label);
      modes.first.push_back(modes.first.back() + count);
    }
    if (p == 0) continue;
    const Tensor spectrum = at::fft_fft2(whole.amplitudes(frequency)),
                 direction = directions(p, frequency).to(spectrum.device());
    const double norm = std::sqrt((count == 2 ? 2.0 : 1.0) / static_cast<double>(p));
    for (int64_t d = 0; d < 4; ++d) {
      const Tensor part = at::view_as_real(at::fft_ifft2(spectrum * direction.eq(d))).div(norm).view({p * p, 2});
      coefficients.push_back(part.narrow(1, 0, count).to(logits_BV.scalar_type()));
      basis.push_back(whole.basis_VM.narrow(1, first, count));
    }
  }
  modes.basis_VM = p > 0 ? at::cat(basis, 1) : whole.basis_VM;
  modes.coefficients_BM = p > 0 ? at::cat(coefficients, 1) : whole.coefficients_BM;
  modes.distinct = p == 0;
  return modes;
}

int64_t modulus_for(bool split, const Observed& observed) {
  if (!split) return 0;
  const int64_t p = grid_modulus(observed.inputs_BT);
  if (p == 0 || p != observed.logits_BV.size(1)) {
    throw Error("'split' needs all pairs (a, b) of Z_p as inputs and p classes, and this task has others");
  }
  return p;
}

}  // namespace

OutputFrequency::OutputFrequency(const Tensor& logits_BV, int64_t grid_modulus)
    : GroupModes(frequency_modes(logits_BV, grid_modulus, Modes())) {}

OutputFrequency::OutputFrequency(const Tensor& logits_BV) : OutputFrequency(logits_BV, 0) {}

OutputFrequency::OutputFrequency(const Options& options, const Observed& observed)
    : OutputFrequency(observed.logits_BV, modulus_for(options.split, observed)) {}

InputModes input_modes(const Tensor& logits_BV) {
  const Coefficients whole(logits_BV);
  const int64_t p = logits_BV.size(1);
  std::vector<Tensor> shares, cosine, sine, amplitude;
  const Tensor a = at::arange(p).unsqueeze(1), b = at::arange(p).unsqueeze(0);
  for (int64_t frequency = 1; frequency <= p / 2; ++frequency) {
    const Tensor G = whole.amplitudes(frequency), spectrum = at::fft_fft2(G) / static_cast<double>(p * p);
    const Tensor energy = spectrum.abs().square(), direction = directions(p, frequency).to(spectrum.device());
    std::vector<Tensor> parts;
    for (int64_t d = 0; d < 4; ++d) parts.push_back((energy * direction.eq(d)).sum());
    shares.push_back(at::stack(parts) / energy.sum().clamp_min(1e-300));
    cosine.push_back(at::real(spectrum[frequency][frequency]));
    sine.push_back(-at::imag(spectrum[frequency][frequency]));
    const Tensor angle =
        ((a + b) * frequency).remainder(p).to(at::kDouble) * (2 * std::numbers::pi / static_cast<double>(p));
    const Tensor along_sum = at::real(G) * angle.cos() + at::imag(G) * angle.sin();  // Re[G e^{-iw(a+b)}]
    const Tensor of_difference = at::zeros({p}, at::kDouble);
    amplitude.push_back(of_difference.index_add(0, (a - b).remainder(p).flatten(), along_sum.flatten()) /
                        static_cast<double>(p));
  }
  const Tensor all = at::stack(shares);
  return {all.select(1, 0),  all.select(1, 1), all.select(1, 2),    all.select(1, 3),
          at::stack(cosine), at::stack(sine),  at::stack(amplitude)};
}

}  // namespace logodds
