#include "training/samplers/learning_coefficient.h"

#include <ATen/ATen.h>
#include <spdlog/fmt/fmt.h>

#include <cmath>

#include "core/error.h"
#include "core/statistics.h"
#include "training/samplers/blocks.h"

namespace logodds {

void SamplingOptions::fields(Fields& fields) {
  fields.component({"sampler", "what moves the chains"}, sampler);
  fields.integer({"chains", "independent chains, all from the trained weights, at least two"}, chains, at_least(2));
  fields.integer({"burn_in", "steps before the first draw"}, burn_in, at_least(0));
  fields.integer({"draws", "of each chain"}, draws, at_least(4));
  fields.integer({"steps_between_draws", "steps from draw to draw"}, steps_between_draws, at_least(1));
  fields.integer({"batch_size", "examples of a step; 0: all"}, batch_size, at_least(0));
  fields.real({"nbeta", "inverse temperature nβ; 0: n / ln n of n examples"}, nbeta, at_least(0));
  fields.real({"localisation", "γ, of the pull (γ/2) ‖w - w0‖² to the trained weights"}, localisation, at_least(0));
  fields.integer({"seed", "of noise and mini-batches"}, seed, between(0, 9007199254740992.0));
  fields.text(
      {"parameters", "those that move: names such as blocks.0.mlp, or heads such as L0H2, by commas; empty: all"},
      parameters);
  fields.choice({"examples", "whose loss is the energy"}, examples, {"train", "test", "all"});
  fields.integers({"classes", "the only classes whose examples count; empty: every class"}, classes, at_least(0));
}

Tensor sampled_examples(const SamplingOptions& options, const Tensor& targets_N, const Tensor& train_B,
                        const Tensor& test_B) {
  Tensor chosen = at::zeros({targets_N.size(0)}, at::kBool);
  if (options.examples == "all") chosen.fill_(true);
  if (options.examples == "train") chosen.index_fill_(0, train_B, true);
  if (options.examples == "test") chosen.index_fill_(0, test_B, true);
  if (!options.classes.empty()) {
    chosen = chosen.logical_and(at::isin(targets_N, at::tensor(options.classes, at::kLong)));
  }
  const Tensor numbers = chosen.nonzero().squeeze(1);
  if (numbers.size(0) < 2) {
    throw Error("'examples' and 'classes' leave " + std::to_string(numbers.size(0)) +
                " examples; a learning coefficient needs at least two");
  }
  return numbers;
}

SampledRun sampled_run(const SamplingOptions& options, const NetworkOn& whole, const Parameters& weights,
                       const Tensor& train_B, const Tensor& test_B) {
  const Tensor targets = whole.targets_N.cpu();
  const Tensor examples = sampled_examples(options, targets, train_B.cpu(), test_B.cpu());
  SampledRun run{
      {whole.model, whole.loss, whole.inputs.cpu().index_select(0, examples), targets.index_select(0, examples)},
      Parameters(weights.specs(), 1, weights.flat().options().device(at::kCPU)),
      inverse_temperature(options, examples.size(0)),
      NAN};
  run.centre.flat().copy_(weights.flat());
  run.centre_loss = network_loss(run.network, run.centre);
  return run;
}

double inverse_temperature(const SamplingOptions& options, int64_t examples) {
  const auto n = static_cast<double>(examples);
  return options.nbeta > 0 ? options.nbeta : n / std::log(n);
}

Chains make_chains(const SamplingOptions& options, const NetworkOn& network, const Parameters& centre,
                   const std::vector<double>& nbeta, const std::vector<double>& localisation,
                   const std::vector<double>& step_size) {
  const auto chains = static_cast<int64_t>(nbeta.size());
  const int64_t examples = network.targets_N.size(0);
  if (options.batch_size > examples) {
    throw Error("'batch_size' (" + std::to_string(options.batch_size) + ") is larger than the " +
                std::to_string(examples) + " examples");
  }
  Parameters weights(centre.specs(), chains, centre.flat().options());
  weights.flat().copy_(centre.flat().expand_as(weights.flat()));
  Target target{.energy = network_energy(network, centre, chains, options.batch_size, options.seed),
                .full_batch = options.batch_size == 0 || options.batch_size == examples,
                .centre_n = centre.flat()[0].clone(),
                .pieces = pieces_of(centre, options.parameters),
                .nbeta = nbeta,
                .localisation = localisation,
                .step_size = step_size};
  return Chains(std::move(weights), std::move(target), options.sampler.make<Sampler>(), options.burn_in, options.seed);
}

Tensor draws_of(const Tensor& trace_RS, int64_t burn_in, int64_t between) {
  return trace_RS.slice(1, std::min(burn_in, trace_RS.size(1)), std::nullopt, between);
}

namespace {

std::vector<double> values(const Tensor& x_R) {
  const Tensor x = x_R.contiguous();
  return {x.const_data_ptr<double>(), x.const_data_ptr<double>() + x.numel()};
}

constexpr double kSettled = 0.1;  // of λ̂, from the first half of the draws to the second

std::vector<std::string> refusals_of(const LearningCoefficient& found) {
  std::vector<std::string> refusals;
  if (found.not_finite > 0) {
    refusals.push_back(
        fmt::format("{} of the chains left the finite numbers: use a smaller step_size, or mala", found.not_finite));
    return refusals;
  }
  if (found.mean < 0) {
    refusals.push_back(
        fmt::format("λ̂ is negative: the chains found less loss than the trained weights have, which are no minimum. "
                    "Train further, raise localisation, or lower step_size"));
  }
  const bool drifts =
      std::abs(found.trend) > kSettled * std::abs(found.mean) &&
      std::abs(found.trend) > student_quantile(static_cast<int>(found.of_chain.size()) - 1, 0.99) * found.trend_error;
  if (drifts) {
    refusals.push_back(
        fmt::format("λ̂ drifts: its second half is {:+.3g} from its first. Raise burn_in or localisation", found.trend));
  }
  if (!(found.convergence.r_hat <= kMixed)) {
    refusals.push_back(
        fmt::format("the chains have not mixed: R̂ is {:.3g}, above {}. Raise burn_in and draws (or "
                    "steps_between_draws), or step_size",
                    found.convergence.r_hat, kMixed));
  }
  return refusals;
}

}  // namespace

LearningCoefficient learning_coefficient(const Trace& trace, int64_t burn_in, int64_t between, double nbeta,
                                         double centre_loss) {
  const Tensor all = draws_of(trace.energy_RS, burn_in, between);
  const Tensor finite = all.isfinite().all(1).nonzero().squeeze(1);
  const Tensor energy = all.index_select(0, finite);
  const Tensor distance = draws_of(trace.distance_RS, burn_in, between).index_select(0, finite);
  const int64_t draws = all.size(1), half = draws / 2, tenth = std::max<int64_t>(1, draws / 10);
  const Tensor of_chain = nbeta * (energy.mean(1) - centre_loss);
  const auto [mean, error] = mean_error(of_chain);
  const auto [trend, trend_error] =
      mean_error(nbeta * (energy.narrow(1, draws - half, half).mean(1) - energy.narrow(1, 0, half).mean(1)));
  const auto of_all = values(nbeta * (all.mean(1) - centre_loss));
  const MeanInterval interval = finite.size(0) > 0 ? mean_interval(values(of_chain)) : MeanInterval{NAN, NAN, NAN};
  LearningCoefficient found{.nbeta = nbeta,
                            .centre_loss = centre_loss,
                            .of_chain = of_all,
                            .mean = mean,
                            .deviation = error * std::sqrt(static_cast<double>(finite.size(0))),
                            .error = error,
                            .low = interval.low,
                            .high = interval.high,
                            .convergence = convergence(energy),
                            .acceptance = draws_of(trace.accepted_RS, burn_in, 1).mean().item<double>(),
                            .distance_first = distance.narrow(1, 0, tenth).mean().item<double>(),
                            .distance_last = distance.narrow(1, draws - tenth, tenth).mean().item<double>(),
                            .trend = trend,
                            .trend_error = trend_error,
                            .not_finite = all.size(0) - finite.size(0),
                            .refusals = {}};
  found.refusals = refusals_of(found);
  return found;
}

Chains coefficient_chains(const SamplingOptions& options, const SampledRun& run) {
  const auto chains = static_cast<size_t>(options.chains);
  return make_chains(options, run.network, run.centre, std::vector<double>(chains, run.nbeta),
                     std::vector<double>(chains, options.localisation));
}

LearningCoefficient learning_coefficient(const SamplingOptions& options, const SampledRun& run, const Trace& trace) {
  return learning_coefficient(trace, options.burn_in, options.steps_between_draws, run.nbeta, run.centre_loss);
}

}  // namespace logodds
