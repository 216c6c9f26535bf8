#pragma once

#include "training/random_labels.h"
#include "training/task.h"

namespace logodds {

/// The options that all such tasks have.
void pair_fields(Fields& fields, double& train_fraction, RandomLabels& random_labels);

/// Tasks whose examples are all pairs (a, b) of n elements, in the order a·n + b, and whose class is an element, too.
/// The first ⌊train_fraction · N⌋ pairs of a permutation drawn from the run's seed are the training set; a share
/// random_labels of them has a wrong class.
class PairTask : public Task {
 public:
  InputShape shape() const override { return {elements_, 2, elements_}; }
  Dataset make(const std::vector<int64_t>& seeds) const override;
  int64_t find(const std::vector<int64_t>& input) const override;

 protected:
  /// b takes the values first_b … elements-1. Throws Error for an empty training set.
  PairTask(double train_fraction, const RandomLabels& random_labels, int64_t elements, int64_t first_b = 0);

  /// Classes of the pairs, [N]; `seed` is the run's.
  virtual Tensor classes(const Tensor& a_N, const Tensor& b_N, int64_t seed) const = 0;

  /// What the classes form.
  virtual std::shared_ptr<const Group> group() const = 0;

 private:
  int64_t pair_count() const { return elements_ * (elements_ - first_b_); }
  int64_t train_count() const;
  std::pair<Tensor, Tensor> split(const Tensor& a_N, const Tensor& b_N, int64_t seed) const;

  double train_fraction_;
  RandomLabels random_labels_;
  int64_t elements_, first_b_;
};

}  // namespace logodds
