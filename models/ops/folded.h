#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/tensor.h"
#include "models/ops/row_mix.h"
#include "models/parameters.h"

namespace logodds {

/// A dense layer x W + b with the run axis; b may be undefined. Where `W_gradient_RIO` is defined, the gradient of W
/// may be put there at once, and is then handed to `pull_back` as that tensor.
struct Dense {
  Tensor W_RIO;
  Tensor b_RO;
  Tensor W_gradient_RIO = {};
};

/// A network reduced to what must be done per sample. Where its inputs are few distinct tokens, all that precedes the
/// first nonlinearity is a weighted sum of table rows (models/ops/row_mix.h), and what follows are dense layers:
///   [x | direct] = mixed table rows: M hidden columns and, where has_direct, V direct logits, each aligned
///   h₁ = φ(x), h₂ = φ(h₁ W₁ + b₁), …, logits = h_n W_n + b_n + direct
/// Features x₀ have no table: x = x₀ W₀ + b₀, and W₀ is the first of the layers.
/// The tensors are functions of the weights; `pull_back` is the transpose of that function's derivative.
struct Folded {
  Mix mix;
  int64_t hidden = 0;  ///< M, not aligned
  bool has_direct = false;
  std::string activation;     ///< φ
  std::vector<Dense> layers;  ///< at least one (two for features); the last makes the logits

  bool features() const { return !mix.table_RNW.defined(); }

  /// The tensors above that are defined: table, base and weights of the mix, then W and b of each layer.
  std::vector<Tensor> tensors() const;
  void change_tensors(const std::function<void(Tensor&)>& change);

  /// Puts the weights' gradients into parameters.gradients(), given those of `tensors()`.
  std::function<void(const std::vector<Tensor>& gradients, Parameters& parameters)> pull_back;
};

/// Logits [R,B,V] of tokens [R,B,T] or features [R,B,F]; differentiable in the tensors of `folded`.
Tensor logits_of(const Folded& folded, const Tensor& inputs);

}  // namespace logodds
