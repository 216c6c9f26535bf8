#pragma once

#include "training/tasks/pairs.h"

namespace logodds {

/// All pairs (a, b) of Z_p with the class (a ∘ b) mod p, in the order a·p + b. Operations: add a+b, subtract a-b,
/// multiply ab, divide a/b (b ≠ 0, p prime), x2_xy_y2 a²+ab+b², random (a table drawn from the run's seed). Split and
/// wrong labels: training/tasks/pairs.h.
class ModularAddition : public PairTask {
 public:
  struct Options {
    int64_t p = 113;
    std::string operation = "add";
    double train_fraction = 0.3;
    RandomLabels random_labels{};
    void fields(Fields& fields);
  };

  /// Throws Error for division modulo a composite number and for an empty training set.
  explicit ModularAddition(const Options& options);

  std::string describe(const std::vector<int64_t>& input) const override;

 protected:
  Tensor classes(const Tensor& a_N, const Tensor& b_N, int64_t seed) const override;
  std::shared_ptr<const Group> group() const override { return group_; }

 private:
  Options options_;
  std::shared_ptr<const Group> group_;
};

}  // namespace logodds
