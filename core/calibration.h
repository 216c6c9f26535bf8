#pragma once

#include "core/tensor.h"

namespace logodds {

/// The scaling ray of a set of logits f [B,V] with targets [B]: L(s) = mean_x ln Σ_c e^{s(f_c - f_y)}, nats, convex
/// in s. A network is calibrated when its own scale s = 1 is the best one; bloat is a scale beyond that.

/// rms of the class-centred logits over samples and classes, nats.
double centred_rms(const Tensor& logits);

/// L(s).
double scaled_loss(const Tensor& logits, const Tensor& targets, double scale);

struct OptimalScale {
  /// argmin_s L(s): +∞ where every sample is classified correctly (the loss falls for ever), -∞ where every logit of
  /// a wrong class is at least the right one's, NaN where all logits of every sample are equal.
  double scale;
  double loss;         ///< L(scale), nats; 0 or a tie's ln(count) in the limit cases, evaluated exactly
  double loss_at_one;  ///< L(1), nats: what the network has
};

/// Safeguarded Newton iteration with L'(s) = E Σ_c p_c d_c and L''(s) = E Var_p d, d_c = f_c - f_y, until a step is
/// below 1e-6 of the scale: the error is then about the square of that. Begins at `guess`, if that is above 0 and
/// finite; the result depends on it by rounding only.
OptimalScale optimal_scale(const Tensor& logits, const Tensor& targets, double guess = 1);

/// The change of the loss between two sets of logits on the same samples, split exactly into what the scale of the
/// logits did and what their shape did. With f = ρ g, ρ the centred rms:
/// radial = ½{[L(ρ'g)-L(ρg)] + [L(ρ'g')-L(ρg')]}, shape = ½{[L(ρg')-L(ρg)] + [L(ρ'g')-L(ρ'g)]}; both are computed.
/// NaN where either set of logits is constant.
struct LossChange {
  double total;
  double radial;
  double shape;
};

/// Logits with their centred rms and their loss, for whoever knows these already.
struct KnownLogits {
  Tensor logits;
  double rms;
  double loss;
};
LossChange split_loss_change(const KnownLogits& before, const KnownLogits& after, const Tensor& targets);
LossChange split_loss_change(const Tensor& before, const Tensor& after, const Tensor& targets);

}  // namespace logodds
