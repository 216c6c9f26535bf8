#include "experiments/circuit_report.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "core/calibration.h"
#include "core/error.h"
#include "core/log_odds.h"
#include "core/text.h"
#include "models/circuits/evidence/ablation.h"
#include "models/circuits/evidence/independence.h"
#include "models/circuits/evidence/loss_curve.h"
#include "models/circuits/evidence/random_model.h"
#include "models/circuits/evidence/scales.h"
#include "models/circuits/evidence/score.h"
#include "models/circuits/grid.h"
#include "models/circuits/irreducible_representations.h"
#include "models/circuits/key_circuits.h"
#include "models/circuits/measures/fourier.h"
#include "models/circuits/measures/gauss_newton.h"
#include "models/circuits/measures/hidden_modes.h"
#include "models/circuits/measures/maximum_margin.h"
#include "models/circuits/measures/neurons.h"
#include "models/circuits/measures/symmetry.h"
#include "models/circuits/neuron_clusters.h"
#include "models/circuits/output_frequency.h"
#include "models/circuits/svd.h"
#include "models/circuits/unit_clusters.h"

namespace logodds {

namespace {

constexpr size_t kMostAblated = 8, kMostScaled = 12;
constexpr int64_t kMostSamples = 2000;

std::vector<int64_t> first(const std::vector<int64_t>& parts, size_t most) {
  return {parts.begin(), parts.begin() + static_cast<int64_t>(std::min(most, parts.size()))};
}

Row numbers(const Tensor& tensor) {
  if (tensor.dim() == 0) {
    return at::isIntegralType(tensor.scalar_type(), false) ? Row(tensor.item<int64_t>()) : Row(tensor.item<double>());
  }
  Row list = Row::array();
  for (const Tensor& row : tensor.unbind(0)) list.push_back(numbers(row));
  return list;
}

Row numbers(const Distribution& distribution) {
  return {{"mean", distribution.mean}, {"quantiles", distribution.quantiles}};
}

const GroupModes* with_templates(const Circuits& circuits) {
  const auto* modes = dynamic_cast<const GroupModes*>(&circuits);
  return modes != nullptr && !modes->template_name().empty() ? modes : nullptr;
}

const OutputFrequency* whole_frequencies(const Circuits& circuits) {
  return dynamic_cast<const OutputFrequency*>(with_templates(circuits));
}

/// p where the inputs are all pairs (a, b) and the classes are numbers modulo p, else 0.
int64_t modulus(const Subject& subject) {
  const bool other = subject.group != nullptr && !subject.group->is_addition();
  return other ? 0 : grid_modulus(subject.inputs_NT);
}

}  // namespace

CircuitReport::CircuitReport(const Subject& subject, const CircuitQuestion& question)
    : subject_(subject),
      name_(question.circuits.name()),
      directions_(question.directions),
      circuits_(question.circuits.make<Circuits>(subject.observed())) {
  if (question.cross) cross_ = question.cross->make<Circuits>(subject.observed());
  const auto dropped = circuits_->find(question.drop), kept = circuits_->find(question.keep);
  kept_ = question.keep.empty() ? circuits_->all_but(dropped) : kept;
  energy_shares_P_ = energy_shares(*circuits_, subject.logits_NV);
  const auto* modes = with_templates(*circuits_);
  key_shares_P_ =
      modes != nullptr ? modes->template_fve(modes->template_coefficients(subject.truth_N)) : energy_shares_P_;
  key_ = key_circuits(key_shares_P_, question.key_share).key;
  evidence_set_ = subject.sets.back().first == "test" ? "test" : "all";
  const Tensor& all = subject.sets.back().first == "test" ? subject.sets.back().second : subject.sets.front().second;
  samples_B_ = all.index_select(
      0, at::arange(0, all.size(0), std::max<int64_t>(1, (all.size(0) + kMostSamples - 1) / kMostSamples)));
}

std::vector<std::string> CircuitReport::names(const std::vector<int64_t>& parts) const {
  std::vector<std::string> names;
  for (const int64_t p : parts) names.push_back(circuits_->labels()[static_cast<size_t>(p)]);
  return names;
}

Row CircuitReport::scores(const Tensor& logits_NV) const {
  Row row = Row::object();
  for (const auto& [set, samples] : subject_.sets) {
    const Score found = score(logits_NV, subject_.targets_N, samples);
    row[set] = {{"loss", found.loss}, {"accuracy", found.accuracy}};
  }
  return row;
}

Row CircuitReport::set_figures() const {
  Row row = scores(subject_.logits_NV);
  for (const auto& [set, samples] : subject_.sets) {
    const Tensor logits = subject_.logits_NV.index_select(0, samples),
                 targets = subject_.targets_N.index_select(0, samples);
    const OptimalScale best = optimal_scale(logits, targets);
    row[set]["examples"] = samples.size(0);
    row[set]["rms"] = centred_rms(logits);
    row[set]["margin"] = numbers(distribution(margin(logits, targets)));
    row[set]["s_star"] = best.scale;
    row[set]["temperature"] = best.scale > 0 ? 1 / best.scale : std::nan("");
    row[set]["calibration_gap"] = row[set]["loss"].get<double>() - best.loss;
    row[set]["calibration_error"] = expected_calibration_error(logits, targets);
  }
  return row;
}

Row CircuitReport::circuit_figures() const {
  const Tensor margins_PN =
      circuit_margins(*circuits_, subject_.targets_N, runner_up(subject_.logits_NV, subject_.targets_N));
  Row list = Row::array();
  for (int64_t p = 0; p < circuits_->size(); ++p) {
    list.push_back({{"label", circuits_->labels()[static_cast<size_t>(p)]},
                    {"key", std::ranges::count(key_, p) > 0},
                    {"energy_share", energy_shares_P_[p].item<double>()},
                    {"margin", numbers(distribution(margins_PN[p]))}});
  }
  const auto put = [&](const std::string& figure, const Tensor& values_P) {
    for (int64_t p = 0; p < values_P.size(0); ++p) list[static_cast<size_t>(p)][figure] = numbers(values_P[p]);
  };
  if (const auto* modes = with_templates(*circuits_)) {
    put(modes->template_name() + "_coefficient", modes->template_coefficients(subject_.truth_N));
    put(modes->template_name() + "_fve", key_shares_P_);
  }
  if (whole_frequencies(*circuits_) != nullptr && modulus(subject_) == subject_.logits_NV.size(1)) {
    const InputModes modes = input_modes(subject_.logits_NV);
    put("sum_share", modes.sum_P);
    put("difference_share", modes.difference_P);
    put("linear_share", modes.linear_P);
    put("rest_share", modes.rest_P);
    put("sum_cosine", modes.cosine_P);
    put("sum_sine", modes.sine_P);
    for (const int64_t p : key_)
      list[static_cast<size_t>(p)]["amplitude_by_difference"] = numbers(modes.amplitude_PD[p]);
  }
  if (const auto* irreps = dynamic_cast<const IrreducibleRepresentations*>(circuits_.get())) {
    for (int64_t p = 0; p < irreps->size(); ++p) {
      list[static_cast<size_t>(p)]["dimension"] = irreps->irrep(p).dimension;
      list[static_cast<size_t>(p)]["type"] = irreps->irrep(p).type;
    }
  }
  if (const auto* clusters = dynamic_cast<const NeuronClusters*>(circuits_.get()))
    put("neurons", at::tensor(clusters->neurons(), at::kLong));
  if (const auto* clusters = dynamic_cast<const UnitClusters*>(circuits_.get()))
    put("neurons", at::tensor(clusters->units(), at::kLong));
  if (const auto* directions = dynamic_cast<const Svd*>(circuits_.get()))
    put("singular_value", directions->singular_values());
  for (const int64_t p : key_) {
    list[static_cast<size_t>(p)]["alone"] = scores(circuits_->part(p));
    list[static_cast<size_t>(p)]["without"] = scores(circuits_->sum(circuits_->all_but({p})));
  }
  return list;
}

Row CircuitReport::curve(const Tensor& samples_B) const {
  if (key_.empty()) return nullptr;
  const LossCurve curve = loss_curve(*circuits_, key_, subject_.targets_N, samples_B);
  Row row{{"circuits", names(key_)},
          {"loss", curve.loss},
          {"accuracy", curve.accuracy},
          {"slope", curve.slope},
          {"slope_interval", {curve.slope_low, curve.slope_high}}};
  const auto* frequencies = whole_frequencies(*circuits_);
  if (frequencies != nullptr && !subject_.inputs_NT.is_floating_point()) {  // a model of modular arithmetic
    const Tensor coefficients_P = frequencies->template_coefficients(subject_.truth_N);
    std::vector<int64_t> kappa;
    std::vector<double> amplitude, predicted{std::log(static_cast<double>(subject_.logits_NV.size(1)))};
    for (const int64_t p : key_) {
      kappa.push_back(OutputFrequency::frequency(p));
      amplitude.push_back(coefficients_P[p].item<double>());
      predicted.push_back(random_model_loss(subject_.logits_NV.size(1), kappa, amplitude));
    }
    row["random_model_loss"] = predicted;
  }
  return row;
}

Row CircuitReport::ablation() const {
  const auto players = first(key_, kMostAblated);
  const SubsetValues values = subset_values(*circuits_, players, subject_.logits_NV, subject_.targets_N, samples_B_);
  const AblationPictures pictures = ablation_pictures(values);
  const auto interactions = [&](const Tensor& value) { return numbers(shapley_interactions(value, values.players)); };
  return {{"circuits", names(players)},
          {"accuracy_r_squared", pictures.accuracy.r_squared},
          {"log_loss_r_squared", pictures.log_loss.r_squared},
          {"multiplicativity", pictures.index},
          {"accuracy_effect", numbers(pictures.accuracy.effect_K)},
          {"log_loss_rate", numbers(-pictures.log_loss.effect_K)},
          {"interaction_accuracy", interactions(values.accuracy)},
          {"interaction_log_loss", interactions(-values.loss.log())},
          {"interaction_margin", interactions(values.margin)}};
}

Row CircuitReport::calibration() const {
  const auto chosen = first(key_, kMostScaled);
  const Tensor targets = subject_.targets_N.index_select(0, samples_B_);
  const auto on_samples = [&](const std::vector<int64_t>& parts) {
    return circuits_->sum(parts).index_select(0, samples_B_);
  };
  std::vector<Tensor> parts;
  std::vector<double> single, own;
  for (const int64_t p : chosen) {
    parts.push_back(on_samples({p}));
    single.push_back(optimal_scale(parts.back(), targets).scale);
    own.push_back(optimal_scales(on_samples(circuits_->all_but({p})), {parts.back()}, targets).scale[0]);
  }
  const Scales joint = optimal_scales(on_samples(circuits_->all_but(chosen)), parts, targets);
  return {{"circuits", names(chosen)},
          {"alpha_single", single},
          {"alpha_joint", joint.scale},
          {"alpha_joint_loss", joint.loss},
          {"own_scale", own}};
}

Row CircuitReport::independence() const {
  const auto chosen = first(key_, kMostAblated);
  const Tensor targets = subject_.targets_N.index_select(0, samples_B_);
  const Tensor evidence_PB = evidence_against_mean(*circuits_, chosen, subject_.targets_N, samples_B_);
  const Tensor correlation = class_conditional_correlation(evidence_PB, targets);
  const ConditionalInformation information = conditional_information(evidence_PB, targets);
  const Additivity sum = additivity(*circuits_, chosen, subject_.targets_N, samples_B_);
  return {{"circuits", names(chosen)},
          {"correlation", numbers(correlation)},
          {"total_correlation", total_correlation(correlation)},
          {"conditional_information", numbers(information.information_PP)},
          {"conditional_information_null", numbers(information.null_PP)},
          {"conditional_information_p", numbers(information.p_value_PP)},
          {"additivity_sum_loss", sum.sum_loss},
          {"additivity_fitted_loss", sum.fitted_loss}};
}

Row CircuitReport::measures() const {
  const Observed observed = subject_.observed();
  const int64_t p = modulus(subject_);
  if (p == 0) return nullptr;
  Row row{{"gradient_symmetricity", gradient_symmetricity(observed)}};
  const Tensor f = centred(subject_.logits_NV), target = subject_.targets_N.unsqueeze(1);
  const Tensor wrong = f.gather(1, runner_up(f, subject_.targets_N).unsqueeze(1));
  row["distance_irrelevance"] = distance_irrelevance(f.gather(1, target).squeeze(1), p);
  row["distance_irrelevance_wrong"] = distance_irrelevance(wrong.squeeze(1), p);
  for (const auto& spec : subject_.parameters.specs()) {
    if (spec.name != "embed.W_E") continue;
    Tensor W_E = subject_.parameters[spec.name][0];
    if (W_E.dim() == 3) W_E = W_E.transpose(0, 1).flatten(1);  // tables of their own: side by side
    row["gini_embedding"] = gini_of_frequencies(W_E.narrow(0, 0, p));
    row["circularity"] = circularity(W_E.narrow(0, 0, p));
  }
  const LogitPaths paths = observed.model.paths(observed.parameters, observed.inputs_BT);
  row["gini_neuron_to_logit"] = gini_of_frequencies(paths.paths[paths.neurons].map_IV.t());
  const Neurons found = neurons(observed);
  row["neuron_frequency"] = numbers(found.frequency_M);
  row["neuron_share"] = numbers(found.share_M);
  row["neuron_share_mean"] = found.share_M.mean().item<double>();
  row["ipr_in"] = found.ipr_in_M.mean().item<double>();
  row["ipr_out"] = found.ipr_out_M.mean().item<double>();
  if (found.phase_error_M.defined()) {
    row["neuron_phase_a"] = numbers(found.phase_a_M);
    row["neuron_phase_b"] = numbers(found.phase_b_M);
    row["neuron_phase_out"] = numbers(found.phase_out_M);
    row["phase_error_median"] = at::nanmedian(found.phase_error_M).item<double>();
  }
  if (const auto ratio = maximum_margin_ratio(observed, subject_.targets_N)) row["maximum_margin_ratio"] = *ratio;
  return row;
}

Row CircuitReport::crossing() const {
  const Crossing crossing = cross(*circuits_, *cross_, subject_.logits_NV);
  Row row{{"rows", circuits_->labels()}, {"columns", cross_->labels()}, {"overlap", numbers(crossing.overlap_PQ)}};
  row["energy"] = crossing.energy_PQ ? numbers(*crossing.energy_PQ) : Row(nullptr);
  return row;
}

Row CircuitReport::directions() const {
  const LogitPaths paths = subject_.model.paths(subject_.parameters, subject_.inputs_NT);
  const LogitPath& neurons = paths.paths[paths.neurons];
  const CurvedDirections found = curved_directions(neurons.map_IV, subject_.logits_NV, directions_);
  Row list = Row::array();
  for (int64_t k = 0; k < found.eigenvalue_K.size(0); ++k) {
    const Tensor logits = without_direction(neurons, subject_.logits_NV, found.direction_MK.select(1, k));
    list.push_back({{"eigenvalue", found.eigenvalue_K[k].item<double>()}, {"without", scores(logits)}});
  }
  return list;
}

std::vector<std::pair<std::string, std::function<Row()>>> CircuitReport::all_figures() const {
  std::vector<std::pair<std::string, std::function<Row()>>> list{
      {"decomposition", [this] { return name_; }},
      {"completeness_error", [this] { return completeness_error(*circuits_, subject_.logits_NV); }},
      {"sets", [this] { return set_figures(); }},
      {"circuits", [this] { return circuit_figures(); }},
      {"key_circuits", [this] { return names(key_); }},
      {"restricted", [this] { return scores(circuits_->sum(key_)); }},
      {"excluded", [this] { return scores(circuits_->sum(circuits_->all_but(key_))); }},
      {"evidence_set", [this] { return evidence_set_; }},
      {"evidence_examples", [this] { return samples_B_.size(0); }}};
  if (const auto* irreps = dynamic_cast<const IrreducibleRepresentations*>(circuits_.get())) {
    list.emplace_back("characters", [this, irreps] {
      const Tensor coefficients = irreps->template_coefficients(subject_.truth_N);
      return scores(irreps->templates(key_, coefficients, subject_.truth_N));
    });
    list.emplace_back("excluded_hidden", [this, irreps] {
      return scores(without_hidden_modes(*irreps, key_, subject_.observed(), subject_.truth_N));
    });
  }
  if (dropping())
    list.emplace_back("kept", [this] {
      return Row{{"circuits", names(kept_)}, {"sets", scores(circuits_->sum(kept_))}};
    });
  if (!key_.empty()) {
    list.emplace_back("loss_curve", [this] { return curve(samples_B_); });
    list.emplace_back("ablation", [this] { return ablation(); });
    list.emplace_back("calibration", [this] { return calibration(); });
    list.emplace_back("independence", [this] { return independence(); });
  }
  list.emplace_back("measures", [this] { return measures(); });
  if (cross_) list.emplace_back("cross", [this] { return crossing(); });
  if (directions_ > 0) list.emplace_back("ablation_directions", [this] { return directions(); });
  return list;
}

Row CircuitReport::figures() const {
  Row row;
  for (const auto& [key, compute] : all_figures()) row[key] = compute();
  return row;
}

Row CircuitReport::figure(const std::string& key) const {
  std::vector<std::string> known;
  for (const auto& [name, compute] : all_figures()) {
    if (name == key) return compute();
    known.push_back(name);
  }
  throw Error("the circuits have no figure '" + key + "'" + suggestion(key, known));
}

Row CircuitReport::on_example(int64_t example) const {
  const Tensor index = at::full({1}, example, at::kLong), targets = subject_.targets_N;
  const Tensor logits = subject_.logits_NV.index_select(0, index), target = targets.index_select(0, index);
  const Tensor rival = runner_up(logits, target);
  const Tensor margins_PB = circuit_margins(*circuits_, targets, targets.index_fill(0, index, rival.item<int64_t>()));
  const Tensor kept = circuits_->sum(kept_).index_select(0, index);
  std::vector<int64_t> order = kept_;
  const auto margin_of = [&](int64_t p) { return margins_PB[p][example].item<double>(); };
  const auto is_key = [&](int64_t p) { return std::ranges::count(key_, p) > 0; };
  std::ranges::stable_sort(
      order, [&](int64_t a, int64_t b) { return is_key(a) != is_key(b) ? is_key(a) : margin_of(a) > margin_of(b); });
  Row circuits = Row::array();
  double sum = 0;
  for (const int64_t p : order) {
    const double nats = margin_of(p);
    sum += nats;
    circuits.push_back({{"label", circuits_->labels()[static_cast<size_t>(p)]},
                        {"key", is_key(p)},
                        {"evidence", nats},
                        {"odds", std::exp(nats)}});
  }
  return {{"decomposition", name_},
          {"target", target.item<int64_t>()},
          {"runner_up", rival.item<int64_t>()},
          {"margin", margin(logits, target).item<double>()},
          {"sum", sum},
          {"probability", std::exp(-cross_entropy(logits, target).item<double>())},
          {"answer", kept.argmax(1).item<int64_t>()},
          {"answer_probability", kept.softmax(1).max().item<double>()},
          {"completeness_error", completeness_error(*circuits_, subject_.logits_NV)},
          {"circuits", circuits}};
}

}  // namespace logodds
