#pragma once

#include "models/model.h"

namespace logodds {

/// Directions u of the last hidden layer h in which the loss is curved: eigenvectors of the Gauss–Newton matrix
///   H = E[W_L (diag p - p pᵀ) W_Lᵀ],  p = softmax f,
/// which is the Hessian of the mean cross-entropy with respect to a shift of h that all samples share. Its rank is at
/// most V-1. They are directions to ablate, not parts of the logits: removing one changes what is left over.
struct CurvedDirections {
  Tensor eigenvalue_K;  ///< falling; those above rounding, at most `most`
  Tensor direction_MK;  ///< orthonormal
};
CurvedDirections curved_directions(const Tensor& W_L_MV, const Tensor& logits_BV, int64_t most);

/// The logits with h replaced by its mean along u: f - ((h - E h)·u) (uᵀ W_L).
Tensor without_direction(const LogitPath& neurons, const Tensor& logits_BV, const Tensor& direction_M);

}  // namespace logodds
