#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/component.h"
#include "core/tensor.h"
#include "models/ops/folded.h"
#include "models/ops/inputs.h"
#include "models/parameters.h"

namespace logodds {

// Shape letters, here and in every name (`logits_RBV` is [R,B,V]):
//   R runs · B samples · T positions · F features · D model width · H heads · K head width · M hidden units ·
//   V classes · P parts

/// What a task gives to a model: inputs [R,B,T] of tokens, or [R,B,F] of real numbers.
struct InputShape {
  int64_t tokens;                ///< size of the vocabulary; 0 where the inputs are features
  int64_t positions;             ///< T, or F
  int64_t classes;               ///< V
  std::vector<int64_t> image{};  ///< channels, height, width of features that are an image, in this order
  int64_t width = 1;             ///< columns, side by side, that are one feature of the task
  bool single_logit = false;     ///< two classes whose logits are -u/2 and u/2: the network makes the log-odds u alone

  bool features() const { return tokens == 0; }
  int64_t outputs() const { return single_logit ? 1 : classes; }  ///< columns of the unembedding
};

/// Called with every named activation of `trace` and returns what is used from there on: the same tensor to observe
/// it, another to intervene. Names are TransformerLens's ("blocks.0.mlp.hook_post"), with the run axis in front.
using Tap = std::function<Tensor(const std::string& name, const Tensor& activation)>;

/// The tap that looks at nothing.
inline Tensor untapped(const std::string&, const Tensor& activation) { return activation; }

/// One way into the logits of one run: `source` [B,I], or [1,I] where it is the same for every input, times `map`
/// [I,V].
struct LogitPath {
  std::string label;  ///< as TransformerLens prints it: "embed", "pos_embed", "L0H2", "0_mlp_out", "bias"
  bool bias;          ///< a bias vector; it belongs to the component that the label names
  Tensor source;
  Tensor map_IV;
};

/// Everything that adds to the logits, in the order in which it is computed; the logits are the sum.
struct LogitPaths {
  std::vector<LogitPath> paths;
  size_t neurons;  ///< the path of the last hidden layer: source [B,M] its activations, map [M,V] neuron to logit, W_L
  Tensor pre_BM;   ///< that layer's pre-activations
};

/// The function from weights and inputs to logits. A model holds no weights: it is the same for all runs and steps.
class Model {
 public:
  virtual ~Model() = default;

  /// The named tensors this model needs, without the run axis, with their initialisation.
  virtual std::vector<ParameterSpec> specs() const = 0;

  /// V, the length of its logits.
  virtual int64_t classes() const = 0;

  /// Channels, height, width of the inputs where they are an image, else nothing.
  virtual std::vector<int64_t> image() const { return {}; }

  /// The factor on the initial weights of each run.
  virtual const PerRun<double>& init_scale() const = 0;

  /// Logits [R,B,V] of inputs [R,B,T]: the plain, readable definition, activation by activation.
  virtual Tensor trace(const Parameters& parameters, const Tensor& inputs_RBT, const Tap& tap) const = 0;

  /// The logits of `trace`, differentiable, where nobody looks at activations: those that no logit needs are left out.
  virtual Tensor untraced(const Parameters& parameters, const Tensor& inputs_RBT) const;

  /// The paths into the logits of inputs [B,T] for a pack of one run. Throws Error for a model that does not have them.
  virtual LogitPaths paths(const Parameters& one, const Tensor& inputs_BT) const;

  /// The same function folded into small tables, where the model has such a form and it saves time. With `gauge`, the
  /// last class's logit is subtracted from the others and left out, which softmax does not notice: V-1 columns, for a
  /// prime V often a multiple of the vector length.
  virtual std::optional<Folded> fold(const Parameters& parameters, const Inputs& inputs, bool gauge) const;

  /// The same function in its fastest form: folded, else `untraced`. No gradients: those are `untraced`'s, or `fold`'s.
  Tensor logits(const Parameters& parameters, const Tensor& inputs_RBT) const;
};

/// The logits of the classes from what the unembedding makes, x [...,outputs]: x, or [-x/2, x/2] of a single logit.
/// Also for the unembedding's own columns. And from the gradient of that to the gradient of x.
Tensor class_logits(const Tensor& x, bool single_logit);
Tensor class_logits_gradient(const Tensor& gradient, bool single_logit);

/// x - x_last over the last dimension's other entries where `gauge`, else x: the unembedding of `Model::fold`. And from
/// the gradient of that to the gradient of x.
Tensor relative_to_last(const Tensor& x, bool gauge);
Tensor relative_to_last_gradient(const Tensor& gradient, bool gauge);

/// Calls `visit(name, activation)` with every activation of `trace` on inputs [B,T] of one run, some inputs at a time
/// so that memory stays small; the activations lack the run axis.
void trace_in_batches(const Model& model, const Parameters& one, const Tensor& inputs_BT,
                      const std::function<void(const std::string& name, const Tensor& activation)>& visit);

/// The models by name; each is made from an InputShape.
const Catalogue& models();

}  // namespace logodds
