#pragma once

#include "training/claim.h"

namespace logodds {

struct NoOptions {
  void fields(Fields&) {}
};

/// Per run: test loss, and what theory expects of a network that has learnt what its training examples show: the
/// Bayes loss, or E -ln softmax(T f*)_y where they hid a dependence and T ≠ 1 is its optimal temperature.
class LossClaim : public Claim {
 public:
  using Options = NoOptions;
  explicit LossClaim(const Options&) {}
  std::vector<Figure> figures(const std::vector<Trained>& runs) const override;
};

/// Per run: risk in excess of the Bayes loss, mean KL(posterior || network) over the test examples.
class ExcessClaim : public Claim {
 public:
  using Options = NoOptions;
  explicit ExcessClaim(const Options&) {}
  std::vector<Figure> figures(const std::vector<Trained>& runs) const override;
};

/// Between each run and the next: by how much the loss falls.
class GainClaim : public Claim {
 public:
  using Options = NoOptions;
  explicit GainClaim(const Options&) {}
  std::vector<Figure> figures(const std::vector<Trained>& runs) const override;
};

/// Over all runs: least-squares slope of ln L against the number of features shown, with the same slope of the exact
/// losses as theory; and again, with the limit of that slope for many features.
class LossSlopeClaim : public Claim {
 public:
  using Options = NoOptions;
  explicit LossSlopeClaim(const Options&) {}
  std::vector<Figure> figures(const std::vector<Trained>& runs) const override;
};

/// Per run: the optimal temperature of its logits on the test examples.
class TemperatureClaim : public Claim {
 public:
  using Options = NoOptions;
  explicit TemperatureClaim(const Options&) {}
  std::vector<Figure> figures(const std::vector<Trained>& runs) const override;
};

}  // namespace logodds
