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

Tensor logits_of(const Folded& folded, const Tensor& inputs) {
  const auto apply = [](const Dense& layer, const Tensor& x) { return linear_per_run(x, layer.W_RIO, layer.b_RO); };
  const size_t first = folded.features() ? 1 : 0;
  const Tensor mixed = folded.features() ? Tensor() : row_mix(folded.mix, inputs);
  Tensor x = folded.features() ? apply(folded.layers[0], inputs) : mixed.narrow(2, 0, folded.hidden);
  for (size_t i = first; i < folded.layers.size(); ++i) {
    x = apply(folded.layers[i], activate(folded.activation, x));
  }
  return folded.has_direct ? x + mixed.narrow(2, aligned(folded.hidden), x.size(2)) : x;
}

}  // namespace logodds
