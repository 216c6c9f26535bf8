#include "training/losses/stablemax.h"

#include <ATen/ATen.h>

#include <cmath>

namespace logodds {

namespace {

struct Parts {
  Tensor s, right, others;  ///< s_c, s_y, Σ_{c≠y} s_c: summed, so that small ones are exact beside a large s_y
};

Parts parts_of(const Tensor& logits, const Tensor& targets) {
  const Tensor x = logits.to(at::kDouble), index = targets.unsqueeze(-1);
  const Tensor s = at::where(x >= 0, x + 1, 1 / (1 - x.clamp_max(0)));
  return {s, s.gather(-1, index), s.scatter(-1, index, 0).sum(-1, /*keepdim=*/true)};
}

}  // namespace

Loss::Value StableMaxLoss::with_gradient(const Tensor& logits_RBV, const Tensor& targets_RB) const {
  const auto [s, right, others] = parts_of(logits_RBV, targets_RB);
  const Tensor total = right + others, index = targets_RB.unsqueeze(-1);
  const Tensor by_s = (1 / total).expand_as(s).scatter(-1, index, -others / (right * total));
  const Tensor slope = at::where(logits_RBV >= 0, at::ones_like(s), s.square());
  const double scale = 1 / static_cast<double>(targets_RB.size(1));
  return {(others / right).log1p().squeeze(-1).mean(-1), (by_s * slope * scale).to(logits_RBV.scalar_type())};
}

std::optional<RowLoss> StableMaxLoss::rows(int64_t classes, double scale) const {
  const auto in_place = [=]<class T>(T* logits, int64_t stride, const int64_t* targets, int64_t rows, double* losses) {
    const auto s_of = [](double x) { return x >= 0 ? x + 1 : 1 / (1 - x); };
    for (int64_t row = 0; row < rows; ++row, logits += stride) {
      const int64_t y = targets[row];
      double others = 0;
      for (int64_t c = 0; c < classes; ++c) others += c == y ? 0 : s_of(static_cast<double>(logits[c]));
      const double right = s_of(static_cast<double>(logits[y])), total = right + others;
      losses[row] = std::log1p(others / right);
      for (int64_t c = 0; c < classes; ++c) {
        const auto x = static_cast<double>(logits[c]);
        const double slope = x >= 0 ? 1 : s_of(x) * s_of(x);
        logits[c] = static_cast<T>(scale * slope * (c == y ? -others / (right * total) : 1 / total));
      }
    }
  };
  return RowLoss{in_place, in_place, /*ignores_constant=*/false};
}

double StableMaxLoss::value(const Tensor& logits_BV, const Tensor& targets_B) const {
  const auto [s, right, others] = parts_of(logits_BV, targets_B);
  return (others / right).log1p().mean().item<double>();
}

}  // namespace logodds
