#pragma once

#include "core/fields.h"
#include "core/tensor.h"

namespace logodds {

/// The option `random_labels` of the tasks: the share of the training examples whose class is changed to one of the
/// others, drawn evenly, so that it can be learnt by heart only. (With two classes that is a flip; ½ leaves nothing to
/// learn. With V classes, (V-1)/V does.)
struct RandomLabels {
  PerRun<double> fraction{0.0};

  void fields(Fields& fields);

  /// Whether any run has some.
  bool any() const;

  /// The classes [N] with exactly round(fraction · B) of the examples numbered train_B changed, a function of the seed.
  Tensor changed(const Tensor& classes_N, const Tensor& train_B, int64_t class_count, size_t run, int64_t seed) const;
};

}  // namespace logodds
