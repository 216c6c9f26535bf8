#include "models/circuits/circuits.h"

#include <ATen/ATen.h>

#include <numeric>

#include "core/log_odds.h"

namespace logodds {

Tensor Circuits::sum(const std::vector<int64_t>& parts) const {
  Tensor total = zeros();
  for (const int64_t p : parts) total += part(p);
  return total;
}

Tensor Circuits::at_class(int64_t p, const Tensor& classes_B) const {
  return part(p).gather(1, classes_B.unsqueeze(1)).squeeze(1);
}

double completeness_error(const Circuits& circuits, const Tensor& logits_BV) {
  std::vector<int64_t> all(static_cast<size_t>(circuits.size()));
  std::iota(all.begin(), all.end(), 0);
  const Tensor f = centred(logits_BV);
  const double largest = f.abs().max().item<double>();
  const double error = (f - circuits.sum(all)).abs().max().item<double>();
  return largest == 0 ? error : error / largest;
}

Tensor circuit_margins(const Circuits& circuits, const Tensor& targets_B, const Tensor& rivals_B) {
  std::vector<Tensor> rows;
  for (int64_t p = 0; p < circuits.size(); ++p) {
    rows.push_back(circuits.at_class(p, targets_B) - circuits.at_class(p, rivals_B));
  }
  return at::stack(rows);
}

}  // namespace logodds
