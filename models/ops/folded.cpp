#include "models/ops/folded.h"

#include <ATen/ATen.h>

#include "models/activation.h"
#include "models/ops/batched.h"

namespace logodds {

void Folded::change_tensors(const std::function<void(Tensor&)>& change) {
  const auto change_defined = [&](Tensor& tensor) {
    if (tensor.defined()) change(tensor);
  };
  for (Tensor* tensor : {&mix.table_RNW, &mix.base_RW, &mix.weights_RBC}) change_defined(*tensor);
  for (auto& layer : layers) {
    change_defined(layer.W_RIO);
    change_defined(layer.b_RO);
  }
}

std::vector<Tensor> Folded::tensors() const {
  std::vector<Tensor> tensors;
  Folded(*this).change_tensors([&](const Tensor& tensor) { tensors.push_back(tensor); });
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
