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
                });
  return catalogue;
}

}  // namespace logodds
