#pragma once

#include "models/circuits/circuits.h"

namespace logodds {

/// Whether circuits are independent witnesses: their evidence, given the label. `evidence` is [P,B], one row per
/// circuit.

/// Evidence of circuits for the right class against the mean wrong one, f_g[y] - mean_{c≠y} f_g[c], nats, [P,B]: no
/// choice of a rival, which all circuits together would make.
Tensor evidence_against_mean(const Circuits& circuits, const std::vector<int64_t>& parts, const Tensor& targets_N,
                             const Tensor& samples_B);

/// Correlations of the rows after each class's mean is removed, [P,P]. Rows that do not vary correlate with nothing.
Tensor class_conditional_correlation(const Tensor& evidence_PB, const Tensor& targets_B);

/// Gaussian total correlation -½ ln det R of a correlation matrix, nats: 0 for independent Gaussians, ∞ where one
/// circuit repeats another.
double total_correlation(const Tensor& correlation_PP);

/// Conditional mutual information I(m_i; m_j | y), nats, each m in 4 bins of equal mass within its class, beside what
/// chance gives: the mean over 100 permutations within the classes, and the share of permutations at least as large.
struct ConditionalInformation {
  Tensor information_PP;
  Tensor null_PP;
  Tensor p_value_PP;
};
ConditionalInformation conditional_information(const Tensor& evidence_PB, const Tensor& targets_B, int64_t seed = 0);

/// Whether adding is all there is to know. On held-out samples (every other one): the loss of the sum, and of the
/// best φ(f_1[c], …, f_P[c]) found, a network of 16 hidden units over the evidence of each class, shared by the
/// classes, that starts as the sum and is fitted to the other half. A gain above 0 says that the sum wastes
/// information.
struct Additivity {
  double sum_loss;     ///< nats, held out
  double fitted_loss;  ///< nats, held out
};
Additivity additivity(const Circuits& circuits, const std::vector<int64_t>& parts, const Tensor& targets_N,
                      const Tensor& samples_B, int64_t seed = 0);

/// R² of `estimate` as a prediction of `reference`, both [B,V], class-centred: 1 - Σ(ref - est)² / Σ ref².
double explained(const Tensor& reference_BV, const Tensor& estimate_BV);

}  // namespace logodds
