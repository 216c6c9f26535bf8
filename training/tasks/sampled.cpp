#include "training/tasks/sampled.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "core/error.h"
#include "core/seeds.h"

namespace logodds {

void SampleOptions::fields(Fields& fields) {
  fields.per_run({"train_size", "examples to train on"}, train_size, between(1, 1e7));
  fields.integer({"test_size", "fresh examples to test on"}, test_size, between(0, 1e7));
  random_labels.fields(fields);
}

int64_t SampledTask::largest_train_size() const { return std::ranges::max(distinct_values(sizes_.train_size)); }

Dataset SampledTask::make(const std::vector<int64_t>& seeds) const {
  const int64_t train = largest_train_size(), test = sizes_.test_size, runs = static_cast<int64_t>(seeds.size());
  const Tensor number = at::arange(train, at::kLong);
  std::vector<Tensor> inputs, targets, truth, posteriors;
  for (size_t run = 0; run < seeds.size(); ++run) {
    const auto add = [&](const World& from, const Examples& examples, const Tensor& labels_N) {
      inputs.push_back(examples.inputs_NF);
      targets.push_back(labels_N);
      truth.push_back(examples.targets_N);
      posteriors.push_back(from.posterior(examples.inputs_NF));
    };
    const auto practice = training_world(run, seeds[run]), world = this->world(run, seeds[run]);
    const int64_t size = sizes_.train_size.at(run);
    const Examples drawn = practice->draw(size, stream(seeds[run], "training examples"));
    const Tensor labels =
        sizes_.random_labels.changed(drawn.targets_N, number.narrow(0, 0, size), shape().classes, run, seeds[run]);
    const Tensor turn = number.remainder(size);
    add(*practice, {drawn.inputs_NF.index_select(0, turn), drawn.targets_N.index_select(0, turn)},
        labels.index_select(0, turn));
    const Examples fresh = world->draw(test, stream(seeds[run], "test examples"));
    add(*world, fresh, fresh.targets_N);
  }
  const auto per_run = [&](const std::vector<Tensor>& sets) {
    std::vector<Tensor> rows;
    for (size_t i = 0; i < sets.size(); i += 2) rows.push_back(at::cat({sets[i], sets[i + 1]}));
    return at::stack(rows);
  };
  return {.inputs = per_run(inputs),
          .targets_RN = per_run(targets),
          .train_RB = number.expand({runs, -1}),
          .test_RB = (at::arange(test, at::kLong) + train).expand({runs, -1}),
          .posterior_RNV = per_run(posteriors),
          .truth_RN = sizes_.random_labels.any() ? per_run(truth) : Tensor()};
}

int64_t SampledTask::find(const std::vector<int64_t>& input) const {
  const int64_t examples = largest_train_size() + sizes_.test_size;
  if (input.size() != 1 || input[0] < 0 || input[0] >= examples) {
    throw Error("an input of a sampled task is the number of an example, 0 to " + std::to_string(examples - 1) +
                "; the test examples begin at " + std::to_string(largest_train_size()));
  }
  return input[0];
}

std::string SampledTask::describe(const std::vector<int64_t>& input) const {
  return "class of example " + std::to_string(input.at(0));
}

int64_t shown_features(int64_t shown, int64_t features) {
  if (shown > features) {
    throw Error("'shown' (" + std::to_string(shown) + ") is more than there are 'features' (" +
                std::to_string(features) + ")");
  }
  return shown == 0 ? features : shown;
}

Tensor hide_after(const Tensor& inputs_NF, int64_t columns_shown) {
  Tensor inputs = inputs_NF.clone();
  inputs.narrow(1, columns_shown, inputs.size(1) - columns_shown).zero_();
  return inputs;
}

Tensor sign_of(const Tensor& targets_N) { return 2 * targets_N.to(at::kDouble) - 1; }

Tensor binary_log_odds(const Tensor& nats_N) { return at::stack({-nats_N / 2, nats_N / 2}, -1); }

}  // namespace logodds
