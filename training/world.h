#pragma once

#include <ATen/core/Generator.h>

#include <cstdint>

#include "core/tensor.h"

namespace logodds {

/// A figure that may be an estimate.
struct Estimate {
  double value;
  double error = 0;  ///< standard error of a Monte Carlo value; 0 where it is computed
};

/// Inputs [N,F] and their classes [N], float64.
struct Examples {
  Tensor inputs_NF;
  Tensor targets_N;
};

/// What generates the examples of one run, where it is known exactly. Evidence is ln P(c | ·) up to a constant, nats,
/// class-centred, float64. Features that are not shown read 0 in the inputs and are no part of what is known.
class World {
 public:
  virtual ~World() = default;

  /// `count` independent examples.
  virtual Examples draw(int64_t count, at::Generator generator) const = 0;

  /// ln P(c | all features shown), [N,V].
  virtual Tensor posterior(const Tensor& inputs_NF) const = 0;

  /// How many features are shown: the first ones.
  virtual int64_t shown() const = 0;

  /// ln P(c | feature i alone), [N,V].
  virtual Tensor feature_log_odds(int64_t feature, const Tensor& inputs_NF) const = 0;

  /// Expected loss of the posterior's logits times `scale`, nats; at 1 the Bayes loss H(Y | X). Here by Monte Carlo
  /// over 2^17 inputs, with the expectation over the class taken exactly: E_x Σ_c -P(c|x) ln q_c(x).
  virtual Estimate loss(double scale) const;

  /// Optimal temperature on fresh examples of a network that has learnt what its training examples show: 1, unless they
  /// hid a dependence between the features. Its logits are then the posterior's times this. NaN where they are no
  /// multiple of the posterior.
  virtual double temperature() const { return 1; }

  /// Slope of ln L per further feature in the limit of many, nats; NaN where no closed form is known.
  virtual double loss_rate() const;

  /// Odds for class 1 where every feature shown speaks for it alone; NaN where a feature's evidence has no single
  /// value.
  virtual double unanimous_odds() const;
};

}  // namespace logodds
