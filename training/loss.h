#pragma once

#include <optional>

#include "core/component.h"
#include "core/tensor.h"
#include "models/ops/tile_step.h"

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

  /// The same row by row, where the loss is a mean of functions of one sample's logits; `scale` is that of a row's
  /// gradient.
  virtual std::optional<RowLoss> rows(int64_t /*classes*/, double /*scale*/) const { return std::nullopt; }

  /// Whether it is stated in one log-odds for two classes (InputShape::single_logit).
  virtual bool single_logit() const { return false; }

  /// Loss alone of one run's logits [B,V] with targets [B]; NaN for no samples.
  virtual double value(const Tensor& logits_BV, const Tensor& targets_B) const = 0;
};

/// The losses by name.
const Catalogue& losses();

}  // namespace logodds
