#include "models/circuits/svd.h"

#include <ATen/ATen.h>

#include <cmath>

#include "core/log_odds.h"

namespace logodds {

struct Svd::Directions {
  Modes modes;
  Tensor singular_values;

  explicit Directions(const Observed& observed) {
    const LogitPaths paths = observed.model.paths(observed.parameters, observed.inputs_BT);
    const Tensor W_L = centred(paths.paths[paths.neurons].map_IV.to(at::kDouble));
    const auto [U, S, Vh] = at::linalg_svd(W_L, /*full_matrices=*/false);
    const int64_t V = W_L.size(1);
    // The weights' own rounding is what limits the rank, so ε is that of their dtype.
    const double epsilon = observed.logits_BV.scalar_type() == at::kFloat ? 1.2e-7 : 2.3e-16;
    const double smallest = static_cast<double>(std::max(V, W_L.size(0))) * epsilon * S.max().item<double>();
    const int64_t rank = std::min((S > smallest).sum().item<int64_t>(), V - 1);
    singular_values = S.narrow(0, 0, rank);
    const Tensor reached = Vh.narrow(0, 0, rank).t();
    const Tensor constant = at::full({V, 1}, 1 / std::sqrt(static_cast<double>(V)), at::kDouble).to(W_L.device());
    const Tensor all = std::get<0>(at::linalg_qr(at::cat({constant, reached}, 1), "complete"));
    const Tensor rest = all.narrow(1, rank + 1, V - 1 - rank);
    for (int64_t i = 0; i <= rank; ++i) modes.first.push_back(i);
    for (int64_t i = 1; i <= rank; ++i) modes.labels.push_back("direction " + std::to_string(i));
    if (rank < V - 1) {
      modes.first.push_back(V - 1);
      modes.labels.emplace_back("null space");
    }
    modes.basis_VM = at::cat({reached, rest}, 1).to(observed.logits_BV.scalar_type());
    modes.coefficients_BM = at::mm(centred(observed.logits_BV), modes.basis_VM);
  }
};

Svd::Svd(const Options&, const Observed& observed) : Svd(Directions(observed)) {}

Svd::Svd(Directions directions)
    : ClassModes(std::move(directions.modes)), singular_values_(std::move(directions.singular_values)) {}

}  // namespace logodds
