#include "experiments/spectrum.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "core/log_odds.h"
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
                    {"coefficient", point.coefficient.mean < 0 ? Row(nullptr) : Row(point.coefficient.mean)},
                    {"coefficient_error", point.coefficient.error},
                    {"acceptance", point.acceptance},
                    {"step_size", point.step_size},
                    {"exchange_rate", point.exchange_rate},
                    {"r_hat", point.r_hat}});
  }
  return rows;
}

constexpr double kFewExchanges = 0.1;

/// What is wrong with the points and what to change, in a sentence each.
std::vector<std::string> notes_on(const std::vector<SpectrumPoint>& points) {
  const auto all = std::to_string(points.size()) + " temperatures";
  int64_t unmixed = 0, negative = 0, rare = 0;
  for (const auto& point : points) {
    unmixed += !(point.r_hat <= kMixed);
    negative += point.coefficient.mean < 0;
    rare += point.exchange_rate < kFewExchanges;
  }
  std::vector<std::string> notes;
  if (unmixed > 0)
    notes.push_back("the chains have not mixed at " + std::to_string(unmixed) + " of " + all +
                    " (R̂ above 1.1): raise burn_in and draws");
  if (rare > 0)
    notes.push_back("less than a tenth of the exchanges is made at " + std::to_string(rare) + " of " + all +
                    ": raise temperatures, or take nbeta_low and nbeta_high closer together");
  if (negative > 0)
    notes.push_back("λ̂ is refused at " + std::to_string(negative) + " of " + all +
                    ", where U lies below L(w0): the trained weights are no minimum of this loss");
  return notes;
}

/// Of the sampled examples: their mean loss if those that random labels changed and the network stores were forgotten,
/// each then costing ln V; and how many those are.
std::pair<double, int64_t> loss_without_stored(const Subject& subject, const Tensor& examples, double chance) {
  const auto chosen = [&](const Tensor& all) { return all.index_select(0, examples); };
  const Tensor logits = chosen(subject.logits_NV), targets = chosen(subject.targets_N);
  const Tensor stored = targets.ne(chosen(subject.truth_N)).logical_and(logits.argmax(1).eq(targets));
  const Tensor losses = at::where(stored, at::full({}, chance, at::kDouble), cross_entropy(logits, targets));
  return {losses.mean().item<double>(), stored.sum().item<int64_t>()};
}

/// The energies at which something of what the network knows is lost: all of it, one example that it stores, all that
/// random labels made it store, all but the k largest key circuits. None where the loss is not in nats.
Row levels_row(const Inspection& inspection, size_t run, const SamplingOptions& options, double centre_loss) {
  Row levels = Row::array();
  const std::string loss = inspection.experiment().options().loss.name();
  if (loss != "cross_entropy" && loss != "binary_logistic") return levels;
  const Subject subject = inspection.subject(run);
  const auto set = [&](const std::string& name) {
    const auto found = std::ranges::find(subject.sets, name, [](const auto& named) { return named.first; });
    return found == subject.sets.end() ? at::empty({0}, at::kLong) : found->second;
  };
  const Tensor examples = sampled_examples(options, subject.targets_N, set("train"), set("test"));
  const double chance = std::log(static_cast<double>(subject.logits_NV.size(1)));
  levels.push_back({{"label", "knowing nothing, ln V"}, {"loss", chance}});
  levels.push_back({{"label", "one of n stored examples less, L(w0) + ln V / n"},
                    {"loss", centre_loss + chance / static_cast<double>(examples.size(0))}});
  const auto [forgotten, stored] = loss_without_stored(subject, examples, chance);
  if (stored > 0) {
    levels.push_back({{"label", "its " + std::to_string(stored) + " stored changed labels less"}, {"loss", forgotten}});
  }
  const CircuitReport report(subject, {.circuits = inspection.decomposition().basis,
                                       .cross = std::nullopt,
                                       .drop = {},
                                       .keep = {},
                                       .key_share = inspection.decomposition().key_fve,
                                       .directions = 0});
  const Row curve = report.curve(examples);
  if (curve.is_null()) return levels;  // no key circuits
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
  const SampledRun& sampled = sampling.sampled();
  const auto ladder = options.ladder(sampled.network.targets_N.size(0));
  Chains chains = spectrum_chains(options, sampled.network, sampled.centre, ladder);
  SpectrumOptions fixed = options;
  fixed.sampling.draws = 4;
  const ChainsFile file(state, settings_of([&](Fields& fields) { fixed.fields(fields); }) + sampling.identity());
  file.load_into(chains);
  const bool finished = chains.run_to(options.sampling.steps(), interrupted);
  file.save(chains);
  if (!finished) return nullptr;
  const auto points =
      spectrum(chains, ladder, options.sampling.burn_in, options.sampling.steps_between_draws, sampled.centre_loss);
  Row row = sampling.heading();
  row.erase("nbeta");
  row["points"] = points_row(points);
  row["notes"] = notes_on(points);
  row["levels"] = levels_row(inspection, run, options.sampling, sampled.centre_loss);
  for (auto& level : row["levels"]) {
    level["nbeta"] = crossing(points, sampled.centre_loss, level.at("loss").get<double>());
  }
  return row;
}

}  // namespace logodds
