#pragma once

#include "models/circuits/path_circuits.h"

namespace logodds {

/// Direct logit attribution: what each component writes into the last position's residual stream, through W_U. Parts
/// and labels are TransformerLens's: "embed", "pos_embed", "L0H2" (head 2 of block 0), "0_mlp_out" (its b_out included)
/// and, where the model has attention or unembedding biases, "bias". Throws Error for a model without a residual
/// stream.
class ResidualPaths : public PathCircuits {
 public:
  struct Options {
    void fields(Fields&) {}
  };
  ResidualPaths(const Options& options, const Observed& observed);
};

}  // namespace logodds
