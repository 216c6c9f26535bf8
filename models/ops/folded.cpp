#include "models/ops/folded.h"

#include <ATen/ATen.h>

#include "models/activation.h"
#include "models/ops/batched.h"

namespace logodds {

std::vector<Tensor> Folded::tensors() const {
  std::vector<Tensor> tensors{mix.table_RNW, mix.base_RW, mix.weights_RBC};
  for (const auto& layer : layers) {
    tensors.push_back(layer.W_RIO);
    tensors.push_back(layer.b_RO);
  }
  std::erase_if(tensors, [](const Tensor& tensor) { return !tensor.defined(); });
  return tensors;
}

Tensor logits_of(const Folded& folded, const Tensor& tokens_RBT) {
  const Tensor mixed = row_mix(folded.mix, tokens_RBT);
  Tensor x = mixed.narrow(2, 0, folded.hidden);
  for (const auto& layer : folded.layers) {
    x = linear_per_run(activate(folded.activation, x), layer.W_RIO, layer.b_RO);
  }
  return folded.has_direct ? x + mixed.narrow(2, aligned(folded.hidden), x.size(2)) : x;
}

}  // namespace logodds
