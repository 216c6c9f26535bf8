#include "experiments/spectrum.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "experiments/circuit_report.h"

namespace logodds {

SpectrumOptions read_spectrum(const std::string& path, const std::vector<std::string>& overrides) {
  SpectrumOptions options;
  read_settings(path, overrides, [&](Fields& fields) { options.fields(fields); });
  return options;
}

namespace {

Row points_row(const std::vector<SpectrumPoint>& points) {
  Row rows = Row::array();
  for (const auto& point : points) {
    rows.push_back({{"nbeta", point.nbeta},
                    {"energy", point.energy.mean},
                    {"energy_error", point.energy.error},
                    {"heat_capacity", point.heat_capacity.mean},
                    {"heat_capacity_error", point.heat_capacity.error},
                    {"coefficient", point.coefficient.mean},
                    {"coefficient_error", point.coefficient.error},
                    {"acceptance", point.acceptance},
                    {"step_size", point.step_size},
                    {"exchange_rate", point.exchange_rate},
                    {"r_hat", point.r_hat}});
  }
  return rows;
}

/// The energies at which something of what the network knows is lost: all of it, one stored example of n, all but the
/// k largest key circuits.
Row levels_row(const Inspection& inspection, size_t run, const SamplingOptions& options, int64_t examples) {
  const Subject subject = inspection.subject(run);
  const auto set = std::ranges::find(subject.sets, options.examples, [](const auto& named) { return named.first; });
  const double chance = std::log(static_cast<double>(subject.logits_NV.size(1)));
  Row levels = Row::array();
  levels.push_back({{"label", "knowing nothing, ln V"}, {"loss", chance}});
  levels.push_back({{"label", "one stored example of n, ln V / n"}, {"loss", chance / static_cast<double>(examples)}});
  const CircuitReport report(subject, {.circuits = inspection.decomposition().basis,
                                       .cross = std::nullopt,
                                       .drop = {},
                                       .keep = {},
                                       .key_share = inspection.decomposition().key_fve,
                                       .directions = 0});
  const Row curve = report.curve(set->second);
  const bool formula = curve.contains("random_model_loss");
  for (size_t k = 1; k < curve.at("loss").size(); ++k) {
    levels.push_back({{"label", std::to_string(k) + (k == 1 ? " circuit" : " circuits")},
                      {"loss", curve.at("loss")[k]},
                      {"random_model_loss", formula ? curve.at("random_model_loss")[k] : Row(nullptr)}});
  }
  return levels;
}

}  // namespace

Row spectrum_row(const Inspection& inspection, size_t run, const SpectrumOptions& options,
                 const std::filesystem::path& state, const std::function<bool()>& interrupted) {
  const Sampling sampling(inspection, run, options.sampling);
  const auto examples = sampling.sampled().network.targets_N.size(0);
  const auto ladder = options.ladder(examples);
  Chains chains = spectrum_chains(options, sampling.sampled().network, sampling.sampled().centre, ladder);
  SpectrumOptions fixed = options;
  fixed.sampling.draws = 4;
  const ChainsFile file(state, settings_of([&](Fields& fields) { fixed.fields(fields); }) + sampling.identity());
  file.load_into(chains);
  const bool finished = chains.run_to(options.sampling.steps(), interrupted);
  file.save(chains);
  if (!finished) return nullptr;
  const auto points =
      spectrum(chains, ladder, options.sampling.burn_in, options.sampling.steps_between_draws, sampling.centre_loss());
  Row row = sampling.heading();
  row.erase("nbeta");
  row["points"] = points_row(points);
  row["levels"] = levels_row(inspection, run, options.sampling, examples);
  for (auto& level : row["levels"]) {
    level["nbeta"] = crossing(points, sampling.centre_loss(), level.at("loss").get<double>());
  }
  return row;
}

}  // namespace logodds
