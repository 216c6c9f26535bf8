#pragma once

#include "training/tasks/pairs.h"

namespace logodds {

/// All pairs (a, b) of elements of a finite group with the class a ∘ b, in the order a·n + b. Split and wrong labels:
/// training/tasks/pairs.h. The group has a name (models/groups/group.h), or a Cayley table in a file: line a of n
/// numbers of 0 … n-1, separated by commas, entry b of it a ∘ b.
class GroupTask : public PairTask {
 public:
  struct Options {
    std::string group{};
    std::string table{};
    double train_fraction = 0.3;
    RandomLabels random_labels{};
    void fields(Fields& fields);
  };

  /// Throws Error for a name that is none, an I/O Error for a file that cannot be read, and an Error that names file,
  /// line and elements for a table that is no group.
  explicit GroupTask(const Options& options);

  std::string describe(const std::vector<int64_t>& input) const override;

 protected:
  Tensor classes(const Tensor& a_N, const Tensor& b_N, int64_t seed) const override;
  std::shared_ptr<const Group> group() const override { return group_; }

 private:
  GroupTask(const Options& options, std::shared_ptr<const Group> group);

  std::shared_ptr<const Group> group_;
};

}  // namespace logodds
