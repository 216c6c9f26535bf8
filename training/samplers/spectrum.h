#pragma once

#include <vector>

#include "core/statistics.h"
#include "training/samplers/learning_coefficient.h"

namespace logodds {

/// A ladder of temperatures, and how each is sampled. The sampler must be mala: exchanges need exact energies.
struct SpectrumOptions {
  SamplingOptions sampling;
  int64_t temperatures = 16;
  double nbeta_low = 0;
  double nbeta_high = 0;
  int64_t exchange_every_steps = 5;

  SpectrumOptions();
  void fields(Fields& fields);
  /// The inverse temperatures for n examples, ascending, in even ratios; 0 stands for (n / ln n) / 100 and · 1000.
  std::vector<double> ladder(int64_t examples) const;
};

/// What the tempered density ∝ e^{-nβ L - (γ/2) ‖w - w0‖²} holds at one temperature; means and errors are those over
/// the ladders of chains.
struct SpectrumPoint {
  double nbeta;
  MeanError energy;         ///< U = E[L], nats per example
  MeanError heat_capacity;  ///< (nβ)² Var[L]: like λ̂, half the number of directions that are free at this temperature
  MeanError coefficient;  ///< λ̂ = nβ (U - L(w0))
  double acceptance, step_size;
  double exchange_rate;  ///< with the next temperature; NaN at the last
  double r_hat;          ///< of the losses at this temperature, a chain per ladder
};

/// Chains for `ladder` repeated sampling.chains times. Throws Error where the sampler is not mala.
Chains spectrum_chains(const SpectrumOptions& options, const NetworkOn& network, const Parameters& centre,
                       const std::vector<double>& ladder);

/// From chains that ran: a point per temperature of `ladder`.
std::vector<SpectrumPoint> spectrum(const Chains& chains, const std::vector<double>& ladder, int64_t burn_in,
                                    int64_t between, double centre_loss);

/// The inverse temperature where the mean energy, interpolated in ln nβ and ln (U - L(w0)), crosses `loss`; NaN where
/// it does not.
double crossing(const std::vector<SpectrumPoint>& points, double centre_loss, double loss);

}  // namespace logodds
