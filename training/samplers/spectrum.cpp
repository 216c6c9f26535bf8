#include "training/samplers/spectrum.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace logodds {

SpectrumOptions::SpectrumOptions() {
  sampling.sampler.select("mala");
  sampling.chains = 4;
}

void SpectrumOptions::fields(Fields& fields) {
  fields.integer({"temperatures", "steps of the ladder"}, temperatures, between(2, 1024));
  fields.real({"nbeta_low", "least inverse temperature; 0: (n / ln n) / 100"}, nbeta_low, at_least(0));
  fields.real({"nbeta_high", "largest inverse temperature; 0: 1000 n / ln n"}, nbeta_high, at_least(0));
  fields.integer({"exchange_every_steps", "steps between exchanges of neighbouring temperatures"}, exchange_every_steps,
                 at_least(1));
  sampling.fields(fields);
}

std::vector<double> SpectrumOptions::ladder(int64_t examples) const {
  const double usual = inverse_temperature({}, examples), low = nbeta_low > 0 ? nbeta_low : usual / 100,
               high = nbeta_high > 0 ? nbeta_high : usual * 1000;
  if (high <= low) throw Error("'nbeta_high' must be larger than 'nbeta_low'");
  std::vector<double> ladder;
  for (int64_t k = 0; k < temperatures; ++k) {
    ladder.push_back(low * std::pow(high / low, static_cast<double>(k) / static_cast<double>(temperatures - 1)));
  }
  return ladder;
}

Chains spectrum_chains(const SpectrumOptions& options, const NetworkOn& network, const Parameters& centre,
                       const std::vector<double>& ladder) {
  const auto& sampling = options.sampling;
  if (sampling.sampler.name() != "mala")
    throw Error("a spectrum needs exact energies: 'sampler' must be mala, not " + sampling.sampler.name());
  const double usual = inverse_temperature({}, network.targets_N.size(0)),
               step_size = sampling.sampler.make<Sampler>()->step_size();
  std::vector<double> nbeta, step_sizes;
  for (int64_t ladders = 0; ladders < sampling.chains; ++ladders) {
    for (const double value : ladder) {
      nbeta.push_back(value);
      // The hotter, the larger the steps that are accepted, up to what the localisation allows.
      step_sizes.push_back(std::min(step_size * usual / value, 1 / std::max(sampling.localisation, 1e-6)));
    }
  }
  Chains chains = make_chains(sampling, network, centre, nbeta,
                              std::vector<double>(nbeta.size(), sampling.localisation), step_sizes);
  chains.temper(static_cast<int64_t>(ladder.size()), options.exchange_every_steps);
  return chains;
}

namespace {

/// x [R,D] by temperature: [K,M,D] of K temperatures and M ladders; `place` says which temperature each chain had.
Tensor by_temperature(const Tensor& x_RD, const Tensor& place_RD, int64_t temperatures) {
  const auto in_ladders = [&](const Tensor& x) { return x.reshape({-1, temperatures, x.size(1)}); };
  return in_ladders(x_RD).gather(1, at::argsort(in_ladders(place_RD), 1, /*descending=*/false)).transpose(0, 1);
}

}  // namespace

std::vector<SpectrumPoint> spectrum(const Chains& chains, const std::vector<double>& ladder, int64_t burn_in,
                                    int64_t between, double centre_loss) {
  const auto K = static_cast<int64_t>(ladder.size());
  const Trace trace = chains.trace();
  const auto drawn = [&](const Tensor& x_RS, int64_t every) {
    return by_temperature(draws_of(x_RS, burn_in, every), draws_of(trace.place_RS, burn_in, every), K);
  };
  const Tensor energy_KMD = drawn(trace.energy_RS, between), accepted_KMD = drawn(trace.accepted_RS, 1);
  const Tensor last_place = trace.place_RS.select(1, trace.place_RS.size(1) - 1);
  const auto& exchanges = chains.exchanges();
  std::vector<SpectrumPoint> points;
  for (int64_t k = 0; k < K; ++k) {
    const auto rung = static_cast<size_t>(k);
    const Tensor energy_MD = energy_KMD[k], of_ladder = energy_MD.mean(1);
    const double nbeta = ladder[rung];
    const double rate = k + 1 == K ? NAN
                                   : static_cast<double>(exchanges.made[rung]) /
                                         static_cast<double>(std::max<int64_t>(1, exchanges.tried[rung]));
    points.push_back(
        {.nbeta = nbeta,
         .energy = mean_error(of_ladder),
         .heat_capacity = mean_error(nbeta * nbeta * energy_MD.var(1)),
         .coefficient = mean_error(nbeta * (of_ladder - centre_loss)),
         .acceptance = accepted_KMD[k].mean().item<double>(),
         .step_size = chains.step_sizes()[static_cast<size_t>((last_place == k).nonzero()[0].item<int64_t>())],
         .exchange_rate = rate,
         .r_hat = convergence(energy_MD.contiguous()).r_hat});
  }
  return points;
}

double crossing(const std::vector<SpectrumPoint>& points, double centre_loss, double loss) {
  const double level = std::log(loss - centre_loss);
  for (size_t i = 0; i + 1 < points.size(); ++i) {
    const double a = std::log(points[i].energy.mean - centre_loss),
                 b = std::log(points[i + 1].energy.mean - centre_loss);
    if (!(a >= level && level >= b) || a == b) continue;
    const double share = (a - level) / (a - b);
    return points[i].nbeta * std::pow(points[i + 1].nbeta / points[i].nbeta, share);
  }
  return NAN;
}

}  // namespace logodds
