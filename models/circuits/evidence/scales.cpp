#include "models/circuits/evidence/scales.h"

#include <ATen/ATen.h>

#include <cmath>
#include <limits>

#include "core/log_odds.h"

namespace logodds {

namespace {

/// Each class against the right one, f_c - f_y, float64.
Tensor against_target(const Tensor& logits_BV, const Tensor& targets_B) {
  const Tensor f = logits_BV.to(at::kDouble);
  return f - f.gather(1, targets_B.unsqueeze(1));
}

struct Derivatives {
  Tensor gradient_K;
  Tensor hessian_KK;
};

/// Of the mean loss: E Σ_c p_c d_i and E Cov_p(d_i, d_j), d_i = part_i[c] - part_i[y]. d is 0 at the right class, so
/// nothing cancels once p_y is near 1.
Derivatives derivatives(const Tensor& logits_BV, const Tensor& d_KBV) {
  const Tensor p_BV = logits_BV.softmax(1);
  const Tensor mean_KB = (p_BV * d_KBV).sum(2);
  const int64_t K = d_KBV.size(0), B = p_BV.size(0);
  Tensor hessian = -at::mm(mean_KB, mean_KB.t());
  for (int64_t i = 0; i < K; ++i) hessian[i] += at::mv(d_KBV.view({K, -1}), (p_BV * d_KBV[i]).flatten());
  return {mean_KB.mean(1), hessian / static_cast<double>(B)};
}

}  // namespace

Scales optimal_scales(const Tensor& rest_BV, const std::vector<Tensor>& parts, const Tensor& targets_B) {
  std::vector<Tensor> differences;
  for (const auto& part : parts) differences.push_back(against_target(part, targets_B));
  const Tensor d_KBV = at::stack(differences);
  const auto K = static_cast<int64_t>(parts.size());
  const Tensor rest = rest_BV.defined() ? against_target(rest_BV, targets_B) : at::zeros_like(d_KBV[0]);
  const auto logits = [&](const Tensor& s_K) { return rest + at::mv(d_KBV.view({K, -1}).t(), s_K).view_as(rest); };
  const auto loss = [&](const Tensor& f) { return cross_entropy(f, targets_B).mean().item<double>(); };

  Tensor s = at::ones({K}, at::kDouble);
  Tensor f = logits(s);
  double value = loss(f);
  bool converged = false;
  for (int iteration = 0; iteration < 60 && !converged && s.abs().max().item<double>() < 1e4; ++iteration) {
    const auto [gradient, hessian] = derivatives(f, d_KBV);
    // Relative to the curvature itself: a loss of 1e-12 has a Hessian of that size.
    const Tensor damped = hessian + at::eye(K, at::kDouble) * (1e-13 * hessian.diagonal().max() + 1e-300);
    Tensor step = -std::get<0>(at::linalg_lstsq(damped, gradient.unsqueeze(1))).squeeze(1);
    const double size = step.abs().max().item<double>(), limit = 2 * s.abs().max().item<double>() + 1;
    if (!std::isfinite(size)) break;
    if (size > limit) step = step * (limit / size);
    double tried = std::numeric_limits<double>::infinity();
    Tensor next, next_f;
    for (int halving = 0; halving < 40 && !(tried <= value); ++halving, step = step / 2) {
      next = s + step;
      next_f = logits(next);
      tried = loss(next_f);
    }
    if (!(tried <= value)) {  // no step lowers the loss: this is the minimum, to rounding
      converged = size < 1e-4 * s.abs().max().item<double>();
      break;
    }
    converged = (next - s).abs().max().item<double>() <= 1e-9 * std::max(1.0, next.abs().max().item<double>());
    s = next, f = next_f, value = tried;
  }
  // Every sample right: the loss falls for ever along s, however small the last step was.
  const bool separated = margin(logits(s) - rest, targets_B).min().item<double>() > 0;
  if (!converged || separated) s.fill_(std::nan(""));
  const Tensor plain = s.contiguous();
  return {{plain.const_data_ptr<double>(), plain.const_data_ptr<double>() + K}, value};
}

double expected_calibration_error(const Tensor& logits_BV, const Tensor& targets_B) {
  const Tensor confidence = std::get<0>(logits_BV.to(at::kDouble).softmax(1).max(1));
  const Tensor right = margin(logits_BV, targets_B).gt(0).to(at::kDouble);
  const Tensor order = confidence.argsort(/*stable=*/true);
  const int64_t B = order.size(0), bins = std::min<int64_t>(15, B);
  double error = 0;
  for (int64_t bin = 0; bin < bins; ++bin) {
    const int64_t first = bin * B / bins, count = (bin + 1) * B / bins - first;
    const Tensor members = order.narrow(0, first, count);
    error += std::abs((right.index_select(0, members) - confidence.index_select(0, members)).sum().item<double>());
  }
  return error / static_cast<double>(B);
}

}  // namespace logodds
