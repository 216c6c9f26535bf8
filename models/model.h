#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/component.h"
#include "core/tensor.h"
#include "models/parameters.h"

namespace logodds {

// Shape letters, here and in every name (`logits_RBV` is [R,B,V]):
//   R runs · B samples · T positions · D model width · H heads · K head width · M hidden units · V classes · P parts

/// What a task gives to a model.
struct InputShape {
  int64_t tokens;     ///< size of the vocabulary of inputs [R,B,T]
  int64_t positions;  ///< T
  int64_t classes;    ///< V
};

/// Called with every named activation of `trace` and returns what is used from there on: the same tensor to observe
/// it, another to intervene. Names are TransformerLens's ("blocks.0.mlp.hook_post"), with the run axis in front.
using Tap = std::function<Tensor(const std::string& name, const Tensor& activation)>;

/// The function from weights and inputs to logits. A model holds no weights: it is the same for all runs and steps.
class Model {
 public:
  virtual ~Model() = default;

  /// The named tensors this model needs, without the run axis, with their initialisation.
  virtual std::vector<ParameterSpec> specs() const = 0;

  /// The factor on the initial weights of each run.
  virtual const PerRun<double>& init_scale() const = 0;

  /// Logits [R,B,V] of inputs [R,B,T]: the plain, readable definition, activation by activation.
  virtual Tensor trace(const Parameters& parameters, const Tensor& inputs_RBT, const Tap& tap) const = 0;

  /// The same function in its fastest form.
  virtual Tensor logits(const Parameters& parameters, const Tensor& inputs_RBT) const {
    return trace(parameters, inputs_RBT, [](const std::string&, const Tensor& activation) { return activation; });
  }
};

/// The models by name; each is made from an InputShape.
const Catalogue& models();

}  // namespace logodds
