#pragma once

#include "training/random_labels.h"
#include "training/task.h"

namespace logodds {

/// How many examples a sampled task draws.
struct SampleOptions {
  PerRun<int64_t> train_size{4096};
  int64_t test_size = 4096;
  RandomLabels random_labels{};
  void fields(Fields& fields);
};

/// A task whose examples are drawn afresh from a known world, from each run's seed: train_size for training, test_size
/// others for testing. Where train_size differs between the runs of a pack, the runs with fewer examples repeat theirs,
/// each in turn. A share
/// random_labels of the training examples has a wrong class, which the posterior knows nothing of. An example is named
/// by its number.
class SampledTask : public Task {
 public:
  explicit SampledTask(const SampleOptions& options) : sizes_(options) {}

  Dataset make(const std::vector<int64_t>& seeds) const override;
  int64_t find(const std::vector<int64_t>& input) const override;
  std::string describe(const std::vector<int64_t>& input) const override;
  std::unique_ptr<World> world(size_t run, int64_t seed) const override = 0;

 protected:
  /// What the training examples are drawn from; the world itself, unless it hides something from them.
  virtual std::unique_ptr<World> training_world(size_t run, int64_t seed) const { return world(run, seed); }

 private:
  int64_t largest_train_size() const;

  SampleOptions sizes_;
};

/// `value.runs`, or the one value of all runs: what a constructor has to check.
template <class T>
std::vector<T> distinct_values(const PerRun<T>& value) {
  return value.runs.empty() ? std::vector<T>{value.value} : value.runs;
}

/// Features shown out of `features`: `shown`, or all for 0. Throws Error where they are more.
int64_t shown_features(int64_t shown, int64_t features);

/// The inputs with the columns of features that are not shown set to 0.
Tensor hide_after(const Tensor& inputs_NF, int64_t columns_shown);

/// ±1 for classes 1 and 0, float64; and evidence [N] for class 1 as class-centred log-odds [N,2].
Tensor sign_of(const Tensor& targets_N);
Tensor binary_log_odds(const Tensor& nats_N);

}  // namespace logodds
