#pragma once

#include <ATen/ATen.h>

#include <cmath>
#include <numbers>

#include "core/seeds.h"
#include "models/circuits/circuits.h"
#include "models/groups/group.h"
#include "models/mlp.h"
#include "models/transformer.h"

namespace logodds {

/// All pairs of Z_p in the order a·p + b, and their sums.
inline Tensor all_pairs(int64_t p) {
  return at::stack({at::arange(p).repeat_interleave(p), at::arange(p).repeat({p})}, 1);
}
inline Tensor sums(int64_t p) { return all_pairs(p).sum(1).remainder(p); }

/// A network on all pairs of Z_p: what an Observed refers to.
struct Network {
  std::unique_ptr<Model> model;
  Parameters parameters;
  Tensor inputs, logits, targets;
  std::shared_ptr<const Group> group;

  Network(std::unique_ptr<Model> its_model, Parameters its_parameters, int64_t p)
      : model(std::move(its_model)),
        parameters(std::move(its_parameters)),
        inputs(all_pairs(p)),
        targets(sums(p)),
        group(named_group("Z" + std::to_string(p))) {
    refresh();
  }
  void refresh() { logits = model->logits(parameters, inputs.unsqueeze(0)).squeeze(0); }
  Observed observed() const { return {*model, parameters, inputs, logits, {}, group.get()}; }
  std::unique_ptr<Circuits> circuits(const std::string& decomposition) const {
    return Selection(decompositions(), decomposition).make<Circuits>(observed());
  }
};

/// Random weights, biases included.
inline Network random_network(std::unique_ptr<Model> model, int64_t p, at::ScalarType type = at::kDouble) {
  Parameters parameters(model->specs(), 1, at::TensorOptions().dtype(type));
  for (size_t i = 0; i < parameters.views().size(); ++i) {
    auto generator = stream(5, parameters.specs()[i].name);
    parameters.views()[i].copy_(at::randn(parameters.views()[i].sizes(), generator, at::kDouble) * 0.4);
  }
  return {std::move(model), std::move(parameters), p};
}

inline std::unique_ptr<Model> small_transformer(int64_t p, int64_t layers, bool equals, bool causal, double mix,
                                                const std::string& biases = "mlp") {
  Transformer::Options options;
  options.biases = biases;
  options.layers = layers;
  options.d_model = 12;
  options.heads = 3;
  options.d_mlp = 20;
  options.equals_token = equals;
  options.causal = causal;
  options.attention_mix = mix;
  return std::make_unique<Transformer>(options, InputShape{p, 2, p});
}

/// One-hot tokens, concatenated, quadratic, without biases: f = Σ_j (u_j[a] + v_j[b])² w_j. Neuron j is
/// u = cos(w_κ a + φ1), v = cos(w_κ b + φ2), w = cos(w_κ c + φ3) with the given frequencies and phases [3,M].
inline Network quadratic_network(int64_t p, const Tensor& frequencies_M, const Tensor& phases) {
  auto model = std::make_unique<Mlp>(Mlp::Options{.embedding = "one_hot",
                                                  .combine = "concatenation",
                                                  .d_embed = 1,
                                                  .hidden = {frequencies_M.size(0)},
                                                  .activation = "quadratic",
                                                  .bias = false,
                                                  .init_scale = {}},
                                     InputShape{p, 2, p});
  Parameters parameters(model->specs(), 1, at::kDouble);
  const Tensor angle = at::arange(p, at::kDouble).unsqueeze(1) * frequencies_M.to(at::kDouble) *
                       (2 * std::numbers::pi / static_cast<double>(p));
  parameters["blocks.0.mlp.W_in"][0].copy_(at::cat({(angle + phases[0]).cos(), (angle + phases[1]).cos()}));
  parameters["unembed.W_U"][0].copy_((angle + phases[2]).cos().t());
  return {std::move(model), std::move(parameters), p};
}

/// The maximum-margin network: every frequency, φ1 and φ2 over all pairs of right angles, φ3 = φ1 + φ2. Over those 16
/// neurons all terms but cos w(a+b-c) cancel.
inline Network maximum_margin_network(int64_t p) {
  const Tensor quarter = at::arange(4, at::kDouble) * (std::numbers::pi / 2);
  const Tensor one = quarter.repeat_interleave(4), two = quarter.repeat({4});
  const int64_t frequencies = (p - 1) / 2;
  return quadratic_network(p, at::arange(1, frequencies + 1).repeat_interleave(16),
                           at::stack({one, two, one + two}).repeat({1, frequencies}));
}

}  // namespace logodds
