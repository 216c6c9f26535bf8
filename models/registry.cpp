#include "models/circuits/forecasters.h"
#include "models/circuits/input_gradient.h"
#include "models/circuits/irreducible_representations.h"
#include "models/circuits/neuron_clusters.h"
#include "models/circuits/output_frequency.h"
#include "models/circuits/patch_shapley.h"
#include "models/circuits/residual_paths.h"
#include "models/circuits/svd.h"
#include "models/circuits/unit_clusters.h"
#include "models/circuits/units.h"
#include "models/cnn.h"
#include "models/forecaster_ensemble.h"
#include "models/mlp.h"
#include "models/model.h"
#include "models/transformer.h"

namespace logodds {

const Catalogue& models() {
  static const Catalogue catalogue(
      "models", {
                    entry<Transformer, Model, const InputShape&>(
                        "transformer", "decoder-style transformer without LayerNorm, read at the last position"),
                    entry<Mlp, Model, const InputShape&>(
                        "mlp", "embedded or one-hot tokens through hidden layers to the classes"),
                    entry<ForecasterEnsemble, Model, const InputShape&>(
                        "forecaster_ensemble", "a small network per feature of the task, logits added"),
                    entry<Cnn, Model, const InputShape&>("cnn", "convolutions over an image, then the classes"),
                });
  return catalogue;
}

const Catalogue& decompositions() {
  static const Catalogue catalogue(
      "circuits",
      {
          entry<OutputFrequency, Circuits, const Observed&>("output_frequency",
                                                            "Fourier modes of the logits in the class number"),
          entry<IrreducibleRepresentations, Circuits, const Observed&>(
              "irreducible_representations", "the logits as a function on the group of the classes, by its irreps"),
          entry<NeuronClusters, Circuits, const Observed&>(
              "neuron_clusters", "last hidden layer's neurons by frequency, direct path, bias"),
          entry<ResidualPaths, Circuits, const Observed&>(
              "residual_paths", "embedding, position, each head and MLP of a transformer, through the unembedding"),
          entry<Svd, Circuits, const Observed&>("svd", "singular directions of the neuron-to-logit map"),
          entry<ForecasterCircuits, Circuits, const Observed&>("forecasters",
                                                               "what each network of a forecaster_ensemble says"),
          entry<Units, Circuits, const Observed&>("units", "each unit of the last hidden layer, direct path, bias"),
          entry<UnitClusters, Circuits, const Observed&>("unit_clusters",
                                                         "the same units grouped by what they say about the classes"),
          entry<InputGradient, Circuits, const Observed&>(
              "input_gradient", "patches of the input times the gradient, and the biases; exact for relu"),
          entry<PatchShapley, Circuits, const Observed&>(
              "patch_shapley", "exact Shapley values of at most 10 patches against background images"),
      });
  return catalogue;
}

Selection default_decomposition(const Model& model, bool features, const Group* group) {
  if (group != nullptr && !group->is_addition()) return Selection(decompositions(), "irreducible_representations");
  if (dynamic_cast<const ForecasterEnsemble*>(&model) != nullptr) return Selection(decompositions(), "forecasters");
  return Selection(decompositions(), features ? "unit_clusters" : "output_frequency");
}

}  // namespace logodds
