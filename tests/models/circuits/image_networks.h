#pragma once

#include <ATen/ATen.h>

#include "core/seeds.h"
#include "models/circuits/circuits.h"
#include "models/mlp.h"

namespace logodds {

/// A network on random features: what an Observed refers to.
struct FeatureNetwork {
  std::unique_ptr<Model> model;
  Parameters parameters;
  Tensor inputs, logits, reference;

  /// Random weights and inputs [samples,F], biases included.
  FeatureNetwork(std::unique_ptr<Model> its_model, int64_t features, int64_t samples, at::ScalarType type = at::kDouble)
      : model(std::move(its_model)), parameters(model->specs(), 1, at::TensorOptions().dtype(type)) {
    for (size_t i = 0; i < parameters.views().size(); ++i) {
      auto generator = stream(5, parameters.specs()[i].name);
      parameters.views()[i].copy_(at::randn(parameters.views()[i].sizes(), generator, at::kDouble) * 0.4);
    }
    auto generator = stream(6, "features");
    inputs = at::randn({samples, features}, generator, at::kDouble).to(type);
    reference = at::randn({5, features}, generator, at::kDouble).to(type);
    refresh();
  }
  void refresh() { logits = model->logits(parameters, inputs.unsqueeze(0)).squeeze(0); }
  Observed observed() const { return {*model, parameters, inputs, logits, reference}; }
  template <class Decomposition>
  Decomposition circuits(const typename Decomposition::Options& options = {}) const {
    return Decomposition(options, observed());
  }
};

inline std::unique_ptr<Model> image_mlp(const std::vector<int64_t>& image, int64_t classes, std::vector<int64_t> hidden,
                                        const std::string& activation = "relu", bool bias = true) {
  Mlp::Options options;
  options.hidden = std::move(hidden);
  options.activation = activation;
  options.bias = bias;
  return std::make_unique<Mlp>(
      options,
      InputShape{.tokens = 0, .positions = image[0] * image[1] * image[2], .classes = classes, .image = image});
}

}  // namespace logodds
