#pragma once

#include <string>
#include <vector>

#include "core/component.h"
#include "core/tensor.h"

namespace logodds {

/// One additive split of a model's logits on a fixed set of inputs, one run at a time. The parts sum to the
/// class-centred logits; each part is computed from what defines it, none by subtraction from the others.
class Circuits {
 public:
  virtual ~Circuits() = default;

  /// P names, such as "κ=14".
  virtual const std::vector<std::string>& labels() const = 0;

  /// Evidence of circuit p, [B,V], nats.
  virtual Tensor part(int64_t p) const = 0;

  /// Sum of some parts, [B,V]. The default streams over them; a decomposition may know a shorter way.
  virtual Tensor sum(const std::vector<int64_t>& parts) const;

  /// Evidence of circuit p for class `classes[b]` of each sample, [B]: part(p) gathered.
  virtual Tensor at_class(int64_t p, const Tensor& classes_B) const;

  int64_t size() const { return static_cast<int64_t>(labels().size()); }

 protected:
  /// [B,V] zeros of the parts' type.
  virtual Tensor zeros() const = 0;
};

/// max|f - Σ_g f_g| / max|f| with f the centred logits [B,V]: 0 for a complete decomposition, up to rounding.
double completeness_error(const Circuits& circuits, const Tensor& logits_BV);

/// Evidence of each circuit for the right answer against one rival class per sample, [P,B], nats. The rivals are the
/// same for all circuits, so the column sums are the model's own margins against them.
Tensor circuit_margins(const Circuits& circuits, const Tensor& targets_B, const Tensor& rivals_B);

}  // namespace logodds
