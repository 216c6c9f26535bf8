#pragma once

#include <string>

#include "models/ops/folded.h"

namespace logodds {

/// What the folded form of a one-layer transformer (models/transformer.h) depends on besides its weights.
struct TransformerFold {
  int64_t tokens;  ///< p
  int64_t heads;
  bool equals;   ///< the answer is read at "=", else at the second operand
  double alpha;  ///< attention_mix
  bool gauge;    ///< see Model::fold
  std::string activation;
};

/// The one-layer transformer in small tables. Inputs are few distinct (token, position) rows and attention is read at
/// one position, so with T_h[n] = x_n W_V^h W_O^h [W_in | W_U], the hidden units and direct logits that head h writes
/// when it attends to row n, everything before the MLP's nonlinearity is
///   [pre | direct](a,b) = x_last [W_in | W_U] + [b_in | b_out W_U] + Σ_h Σ_t A_ht T_h[row of t],
/// and logits = φ(pre) W_L + direct, W_L = W_out W_U. With "=", whose row x_= is the same for all samples, rows are
/// taken relative to it: its attention is what the other two leave of the total, and its score 0.
/// The gradients follow by the chain rule on these tables, in `pull_back`.
Folded fold_transformer(const TransformerFold& options, const Parameters& parameters, const Tensor& inputs_RBT);

}  // namespace logodds
