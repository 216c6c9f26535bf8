#pragma once

#include <string>
#include <vector>

#include "core/tensor.h"
#include "models/ops/row_mix.h"

namespace logodds {

/// A dense layer x W + b with the run axis; b may be undefined.
struct Dense {
  Tensor W_RIO;
  Tensor b_RO;
};

/// A network reduced to what must be done per sample. Its inputs are few distinct tokens, so all that precedes the
/// first nonlinearity is a weighted sum of table rows (models/ops/row_mix.h), and what follows are dense layers:
///   [x | direct] = mixed table rows: M hidden columns and, where has_direct, V direct logits, each aligned
///   h₁ = φ(x), h₂ = φ(h₁ W₁ + b₁), …, logits = h_n W_n + b_n + direct
/// The tensors are functions of the weights: how they follow from them, and their gradients, is left to autograd, for
/// the tables are small.
struct Folded {
  Mix mix;
  int64_t hidden = 0;  ///< M, not aligned
  bool has_direct = false;
  std::string activation;     ///< φ
  std::vector<Dense> layers;  ///< at least one; the last makes the logits

  /// The tensors above that are defined: table, base and weights of the mix, then W and b of each layer.
  std::vector<Tensor> tensors() const;
};

/// Logits [R,B,V] of tokens [R,B,T]; differentiable.
Tensor logits_of(const Folded& folded, const Tensor& tokens_RBT);

}  // namespace logodds
