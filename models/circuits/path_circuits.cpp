#include "models/circuits/path_circuits.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "core/log_odds.h"

namespace logodds {

void PathCircuits::add(const std::string& label, const Tensor& source, const Tensor& map_IV) {
  const auto found = std::ranges::find(labels_, label);
  const auto part = static_cast<size_t>(found - labels_.begin());
  if (found == labels_.end()) {
    labels_.push_back(label);
    terms_.emplace_back();
  }
  terms_[part].push_back({source, centred(map_IV)});
}

void PathCircuits::add_past_neurons(const LogitPaths& paths) {
  for (size_t i = 0; i < paths.paths.size(); ++i) {
    const auto& path = paths.paths[i];
    if (i != paths.neurons) add(path.bias ? "bias" : "direct", path.source, path.map_IV);
  }
}

Tensor PathCircuits::zeros() const { return at::zeros_like(like_BV_); }

Tensor PathCircuits::part(int64_t p) const {
  Tensor total = zeros();
  for (const auto& [source, map] : terms_[static_cast<size_t>(p)]) {
    if (source.size(0) == 1) {
      total += at::mm(source, map);
    } else {
      total.addmm_(source, map);
    }
  }
  return total;
}

Tensor PathCircuits::at_class(int64_t p, const Tensor& classes_B) const {
  Tensor total = at::zeros({classes_B.size(0)}, like_BV_.options());
  for (const auto& [source, map] : terms_[static_cast<size_t>(p)]) {
    if (source.size(0) == 1) {
      total += at::mm(source, map)[0].index_select(0, classes_B);
    } else {
      total += (source * map.t().index_select(0, classes_B)).sum(1);
    }
  }
  return total;
}

}  // namespace logodds
