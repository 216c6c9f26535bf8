#pragma once

#include "core/tensor.h"

namespace logodds {

/// Logits are log-odds up to a constant shared by all classes, which softmax ignores. Functions here take logits
/// [..., B, V] and targets [..., B] (class numbers) and compute in float64. B samples, V classes.

/// f_c - mean_c f_c: every norm, scale and evidence figure is computed on centred logits.
Tensor centred(const Tensor& logits);

/// Multi-class logistic loss -ln softmax(f)_y of each sample, [..., B], nats, float64. Written as
/// m + log1p(expm1(-m) + Σ_{c≠y} e^{f_c - f_y - m}), m = max(0, max_{c≠y} f_c - f_y), so that a loss of 1e-30 is as
/// exact as a loss of 1 and nothing overflows.
Tensor cross_entropy(const Tensor& logits, const Tensor& targets);

/// Losses [..., B] as above, and `scale` times their gradient with respect to the logits, [..., B, V] in the logits'
/// dtype: p_c for c ≠ y, and -Σ_{c≠y} p_c for y (p_y - 1 would cancel once p_y is near 1). On the CPU by a vectorised
/// kernel, on a GPU by cross_entropy_by_loops.
struct CrossEntropy {
  Tensor loss;
  Tensor gradient;
};
CrossEntropy cross_entropy_with_gradient(const Tensor& logits, const Tensor& targets, double scale = 1);

/// The same by core/log_odds_loops.h, on any device: slow on a CPU, where tests hold it against the above.
CrossEntropy cross_entropy_by_loops(const Tensor& logits, const Tensor& targets, double scale = 1);

/// The best wrong class of each sample, argmax_{c≠y} f_c, [..., B].
Tensor runner_up(const Tensor& logits, const Tensor& targets);

/// Evidence for the right answer against one wrong class, f_y - f_c', nats, [..., B], in the logits' dtype.
Tensor evidence(const Tensor& logits, const Tensor& targets, const Tensor& rivals);

/// Margin f_y - max_{c≠y} f_c, nats, [..., B]: positive where the sample is classified correctly.
Tensor margin(const Tensor& logits, const Tensor& targets);

/// Fraction of samples with positive margin, [...], float64. A tie counts as wrong.
Tensor accuracy(const Tensor& logits, const Tensor& targets);

/// KL(P || Q) = Σ_c P_c ln(P_c / Q_c) of the distributions that two sets of logits make, nats, [..., B], float64: how
/// much larger Q's expected loss is than that of the truth P.
Tensor divergence(const Tensor& logits_P, const Tensor& logits_Q);

}  // namespace logodds
