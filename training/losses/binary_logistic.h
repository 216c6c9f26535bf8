#pragma once

#include "training/losses/cross_entropy.h"

namespace logodds {

/// Binary logistic loss ln(1 + e^{-(2y-1)u}) of one logit u, the log-odds of class 1 against class 0, nats, mean over
/// samples. It is the cross-entropy of the two logits -u/2 and u/2, and computed as that: every figure that is a
/// function of class logits means the same here, and the margin of class 1 is u.
class BinaryLogisticLoss : public CrossEntropyLoss {
 public:
  using CrossEntropyLoss::CrossEntropyLoss;
  bool single_logit() const override { return true; }
};

}  // namespace logodds
