#pragma once

#include "training/task.h"

namespace logodds {

/// All pairs (a, b) of Z_p with the class (a ∘ b) mod p, in the order a·p + b. Operations: add a+b, subtract a-b,
/// multiply ab, divide a/b (b ≠ 0, p prime), x2_xy_y2 a²+ab+b², random (a table drawn from the run's seed). The first
/// ⌊train_fraction · N⌋ pairs of a permutation drawn from the run's seed are the training set.
class ModularAddition : public Task {
 public:
  struct Options {
    int64_t p = 113;
    std::string operation = "add";
    double train_fraction = 0.3;
    void fields(Fields& fields);
  };

  /// Throws Error for division modulo a composite number and for an empty training set.
  explicit ModularAddition(const Options& options);

  InputShape shape() const override { return {options_.p, 2, options_.p}; }
  Dataset make(const std::vector<int64_t>& seeds) const override;
  int64_t find(const std::vector<int64_t>& input) const override;
  std::string describe(const std::vector<int64_t>& input) const override;

 private:
  int64_t pair_count() const;
  Tensor targets(const Tensor& a_N, const Tensor& b_N, int64_t seed) const;

  Options options_;
};

}  // namespace logodds
