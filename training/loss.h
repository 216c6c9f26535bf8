#pragma once

#include "core/component.h"
#include "core/tensor.h"

namespace logodds {

/// What is minimised, one figure per run.
class Loss {
 public:
  virtual ~Loss() = default;

  struct Value {
    Tensor loss_R;        ///< mean over the samples, float64
    Tensor gradient_RBV;  ///< of each run's loss with respect to its logits, in their dtype
  };
  /// Loss and gradient of logits [R,B,V] with targets [R,B].
  virtual Value with_gradient(const Tensor& logits_RBV, const Tensor& targets_RB) const = 0;

  /// Loss alone of one run's logits [B,V] with targets [B]; NaN for no samples.
  virtual double value(const Tensor& logits_BV, const Tensor& targets_B) const = 0;
};

/// The losses by name.
const Catalogue& losses();

}  // namespace logodds
