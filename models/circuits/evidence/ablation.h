#pragma once

#include "models/circuits/circuits.h"

namespace logodds {

/// What each subset of K players is worth: entry S of [2^K], bit i of S says whether player i is kept.
struct SubsetValues {
  int64_t players;
  Tensor loss;  ///< mean loss, nats
  Tensor accuracy;
  Tensor margin;  ///< mean evidence for the right class against the whole network's runner-up, nats
};

/// Keeps every subset of `parts` (at most 12) in turn, and all other circuits always, on the samples `samples` [B].
SubsetValues subset_values(const Circuits& circuits, const std::vector<int64_t>& parts, const Tensor& logits_NV,
                           const Tensor& targets_N, const Tensor& samples_B);

/// A least-squares fit value(S) = constant + Σ_{i in S} effect_i over all subsets.
struct AdditiveFit {
  double r_squared;  ///< 1 where the value does not vary
  Tensor effect_K;
};
AdditiveFit additive_fit(const Tensor& value, int64_t players);

/// Picture 1 says that circuits divide the inputs among them: accuracies add. Picture 2 says that each multiplies the
/// odds: ln L = α - Σ r_i, rates add. The multiplicativity index is R²(ln L) - R²(accuracy).
struct AblationPictures {
  AdditiveFit accuracy;  ///< picture 1
  AdditiveFit log_loss;  ///< picture 2; effect = -r_i
  double index;
};
AblationPictures ablation_pictures(const SubsetValues& values);

/// Pairwise Shapley interactions [K,K], zero on the diagonal:
///   I_ij = Σ_{S without i,j} |S|! (K-|S|-2)! / (K-1)! · [v(S∪ij) - v(S∪i) - v(S∪j) + v(S)]
Tensor shapley_interactions(const Tensor& value, int64_t players);

}  // namespace logodds
