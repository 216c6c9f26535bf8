#include "models/circuits/stored_circuits.h"

#include <ATen/ATen.h>

#include "core/log_odds.h"

namespace logodds {

Tensor StoredCircuits::part(int64_t p) const { return parts_PBV_[p]; }

void StoredCircuits::store(std::vector<std::string> labels, const Tensor& parts_PBV) {
  labels_ = std::move(labels);
  parts_PBV_ = centred(parts_PBV);
}

Tensor StoredCircuits::zeros() const { return at::zeros_like(parts_PBV_[0]); }

}  // namespace logodds
