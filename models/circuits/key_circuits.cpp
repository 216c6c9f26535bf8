#include "models/circuits/key_circuits.h"

#include <ATen/ATen.h>

namespace logodds {

KeyCircuits key_circuits(const Tensor& shares_P, double threshold) {
  const Tensor shares = shares_P.to(at::kCPU, at::kDouble);
  const auto share = shares.accessor<double, 1>();
  KeyCircuits circuits;
  for (int64_t p = 0; p < shares.size(0); ++p) (share[p] >= threshold ? circuits.key : circuits.other).push_back(p);
  std::ranges::stable_sort(circuits.key, [&](int64_t a, int64_t b) { return share[a] > share[b]; });
  return circuits;
}

}  // namespace logodds
