#pragma once

#include <string>
#include <vector>

#include "training/samplers/chains.h"
#include "training/samplers/convergence.h"
#include "training/samplers/network_energy.h"

namespace logodds {

/// How a network's surroundings are sampled.
struct SamplingOptions {
  Selection sampler{samplers(), "sgld"};
  int64_t chains = 8;
  int64_t burn_in = 300;
  int64_t draws = 200;
  int64_t steps_between_draws = 1;
  int64_t batch_size = 0;
  double nbeta = 0;
  double localisation = 100;
  int64_t seed = 0;
  std::string parameters;
  std::string examples = "train";
  std::vector<int64_t> classes;
  void fields(Fields& fields);

  int64_t steps() const { return burn_in + draws * steps_between_draws; }
};

/// Which of a task's examples are sampled on: those of the set that `options` name, of their classes. `train_B` and
/// `test_B` number the examples. Throws Error where none is left.
Tensor sampled_examples(const SamplingOptions& options, const Tensor& targets_N, const Tensor& train_B,
                        const Tensor& test_B);

/// What samplers take of one run: its weights w0 and the examples whose loss is the energy, copies on the CPU.
struct SampledRun {
  NetworkOn network;
  Parameters centre;
  double nbeta;        ///< inverse temperature
  double centre_loss;  ///< L(w0), nats
};

/// `whole` is the network on every example of the task, `weights` a pack of one. Throws as sampled_examples.
SampledRun sampled_run(const SamplingOptions& options, const NetworkOn& whole, const Parameters& weights,
                       const Tensor& train_B, const Tensor& test_B);

/// nβ of n examples: the option's, or n / ln n.
double inverse_temperature(const SamplingOptions& options, int64_t examples);

/// A sampler around w0, the weights of a pack of one: as many chains as nbeta has elements.
Chains make_chains(const SamplingOptions& options, const NetworkOn& network, const Parameters& centre,
                   const std::vector<double>& nbeta, const std::vector<double>& localisation,
                   const std::vector<double>& step_size = {});

/// λ̂ = nβ (mean of L over draws and chains - L(w0)), the local learning coefficient (Lau et al. 2023).
struct LearningCoefficient {
  double nbeta, centre_loss;
  std::vector<double> of_chain;
  double mean, deviation;                ///< over the chains; deviation divides by R - 1
  double error;                          ///< standard error of the mean, deviation / √R
  double low, high;                      ///< 95 % interval of the mean, Student's
  Convergence convergence;               ///< of the losses
  double acceptance;                     ///< share of accepted steps after burn-in
  double distance_first, distance_last;  ///< mean ‖w - w0‖ over the first and the last tenth of the draws
  double trend, trend_error;  ///< of λ̂ from the first half of the draws to the second, and its standard error
  int64_t not_finite;         ///< chains with a loss that is not finite
  std::vector<std::string> refusals;  ///< why the estimate cannot stand and what to change; empty where it can
};

/// From the trace of chains that all have the inverse temperature `nbeta`; draws are every `between`-th step from
/// `burn_in` on. With a chain that is not finite the figures are those of the others.
LearningCoefficient learning_coefficient(const Trace& trace, int64_t burn_in, int64_t between, double nbeta,
                                         double centre_loss);

/// The chains of an estimate, all at the run's nβ and the option's γ; and the estimate, once they ran options.steps().
Chains coefficient_chains(const SamplingOptions& options, const SampledRun& run);
LearningCoefficient learning_coefficient(const SamplingOptions& options, const SampledRun& run, const Trace& trace);

/// The draws' columns [R,D] of a trace's [R,S].
Tensor draws_of(const Tensor& trace_RS, int64_t burn_in, int64_t between);

}  // namespace logodds
