#pragma once

#include <string>
#include <vector>

#include "training/samplers/sampler.h"

namespace logodds {

/// The pieces of a flat buffer that `selection` names: parts of names separated by commas, each
///   "blocks.0.mlp", "unembed.W_U"   every tensor of that name, or below it
///   "L0H2"                          the tensors of one attention head, as residual_paths calls it
/// or everything where it is empty. In ascending order, each element once. Throws Error for a name that is not there.
std::vector<Piece> pieces_of(const Parameters& parameters, const std::string& selection);

/// How many weights the pieces hold.
int64_t size_of(const std::vector<Piece>& pieces);

}  // namespace logodds
