#include "training/samplers/chains.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <cmath>
#include <utility>

#include "core/error.h"
#include "core/seeds.h"
#include "training/samplers/philox_kernel.h"

namespace logodds {

namespace {

uint64_t key_of(int64_t seed, const std::string& purpose) {
  const Tensor words = at::randint(int64_t{1} << 32, {2}, stream(seed, purpose), at::TensorOptions(at::kLong));
  return static_cast<uint64_t>(words[0].item<int64_t>()) << 32 | static_cast<uint64_t>(words[1].item<int64_t>());
}

/// Columns after those that were there before.
Tensor columns(const Tensor& before, const std::vector<Tensor>& more) {
  std::vector<Tensor> all;
  if (before.defined()) all.push_back(before);
  if (!more.empty()) all.push_back(at::stack(more, 1));
  return all.empty() ? Tensor() : at::cat(all, 1);
}

template <class T>
std::vector<T> to_vector(const Tensor& values) {
  const Tensor flat = values.contiguous();
  return {flat.const_data_ptr<T>(), flat.const_data_ptr<T>() + flat.numel()};
}

}  // namespace

Chains::Chains(Parameters weights, Target target, std::unique_ptr<Sampler> sampler, int64_t burn_in, int64_t seed)
    : weights_(std::move(weights)),
      target_(std::move(target)),
      sampler_(std::move(sampler)),
      burn_in_(burn_in),
      exchange_key_(key_of(seed, "exchanges")) {
  for (int64_t r = 0; r < weights_.runs(); ++r) {
    keys_.push_back(key_of(seed, "chain " + std::to_string(r)));
    place_.push_back(r);
  }
  if (target_.step_size.empty()) target_.step_size.assign(keys_.size(), sampler_->step_size());
  sampler_->check(target_, burn_in);
}

void Chains::temper(int64_t temperatures, int64_t every_steps) {
  temperatures_ = temperatures;
  exchange_every_steps_ = every_steps;
  exchanges_.tried.assign(static_cast<size_t>(temperatures - 1), 0);
  exchanges_.made = exchanges_.tried;
}

bool Chains::run_to(int64_t step, const std::function<bool()>& interrupted) {
  const at::NoGradGuard no_grad;
  while (step_ < step) {
    if (interrupted && interrupted()) return false;
    step_once();
    if (temperatures_ > 1 && step_ % exchange_every_steps_ == 0) exchange();
  }
  return true;
}

void Chains::step_once() {
  places_.push_back(at::tensor(place_, at::kLong));
  const Draw draw = sampler_->step(weights_, target_, {step_, step_ < burn_in_, keys_});
  energies_.push_back(draw.energy_R);
  distances_.push_back(draw.distance_R);
  accepted_.push_back(draw.accepted_R);
  ++step_;
}

void Chains::exchange() {
  const Tensor energy = sampler_->energy();
  if (!energy.defined()) throw Error("temperatures can be exchanged only with the sampler 'mala'");
  std::vector<size_t> chain_at(place_.size());
  for (size_t r = 0; r < place_.size(); ++r) chain_at[static_cast<size_t>(place_[r])] = r;
  const int64_t turn = step_ / exchange_every_steps_ % 2;
  for (size_t place = 0; place + 1 < place_.size(); ++place) {
    const int64_t rung = static_cast<int64_t>(place) % temperatures_;
    if (rung + 1 == temperatures_ || rung % 2 != turn) continue;
    try_exchange(static_cast<int64_t>(place), chain_at[place], chain_at[place + 1], energy.const_data_ptr<double>());
  }
}

void Chains::try_exchange(int64_t place, size_t a, size_t b, const double* energies) {
  const auto rung = static_cast<size_t>(place % temperatures_);
  ++exchanges_.tried[rung];
  const double log_ratio = (target_.nbeta[a] - target_.nbeta[b]) * (energies[a] - energies[b]);
  const auto number = static_cast<uint64_t>(step_ * static_cast<int64_t>(place_.size()) + place);
  if (std::log(uniform_number(exchange_key_, number)) >= log_ratio) return;
  ++exchanges_.made[rung];
  std::swap(place_[a], place_[b]);
  for (auto* values : {&target_.nbeta, &target_.localisation, &target_.step_size}) {
    std::swap((*values)[a], (*values)[b]);
  }
}

Trace Chains::trace() const {
  return {columns(past_.energy_RS, energies_), columns(past_.distance_RS, distances_),
          columns(past_.accepted_RS, accepted_), columns(past_.place_RS, places_)};
}

NamedTensors Chains::state() const {
  const Trace past = trace();
  NamedTensors state{{"weights", weights_.flat()},
                     {"step", at::tensor(std::vector<int64_t>{step_}, at::kLong)},
                     {"place", at::tensor(place_, at::kLong)},
                     {"nbeta", at::tensor(target_.nbeta, at::kDouble)},
                     {"localisation", at::tensor(target_.localisation, at::kDouble)},
                     {"step_size", at::tensor(target_.step_size, at::kDouble)},
                     {"tried", at::tensor(exchanges_.tried, at::kLong)},
                     {"made", at::tensor(exchanges_.made, at::kLong)}};
  if (past.energy_RS.defined()) {
    state["trace.energy"] = past.energy_RS;
    state["trace.distance"] = past.distance_RS;
    state["trace.accepted"] = past.accepted_RS;
    state["trace.place"] = past.place_RS;
  }
  for (const auto& [name, tensor] : sampler_->state()) state["sampler." + name] = tensor;
  return state;
}

void Chains::restore(const NamedTensors& state) {
  const Tensor& weights = state.at("weights");
  if (weights.sizes() != weights_.flat().sizes() || weights.scalar_type() != weights_.flat().scalar_type())
    throw Error("the stored chains are of another network, or another number of chains");
  weights_.flat().copy_(weights);
  step_ = state.at("step")[0].item<int64_t>();
  place_ = to_vector<int64_t>(state.at("place"));
  target_.nbeta = to_vector<double>(state.at("nbeta"));
  target_.localisation = to_vector<double>(state.at("localisation"));
  target_.step_size = to_vector<double>(state.at("step_size"));
  exchanges_ = {to_vector<int64_t>(state.at("tried")), to_vector<int64_t>(state.at("made"))};
  for (auto* list : {&energies_, &distances_, &accepted_, &places_}) list->clear();
  past_ = {};
  if (state.contains("trace.energy")) {
    past_ = {state.at("trace.energy"), state.at("trace.distance"), state.at("trace.accepted"), state.at("trace.place")};
  }
  NamedTensors of_sampler;
  for (const auto& [name, tensor] : state) {
    if (name.starts_with("sampler.")) of_sampler[name.substr(8)] = tensor;
  }
  sampler_->restore(of_sampler);
}

}  // namespace logodds
