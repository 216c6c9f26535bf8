#include "training/tasks/pairs.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "core/error.h"
#include "core/seeds.h"

namespace logodds {

void pair_fields(Fields& fields, double& train_fraction, RandomLabels& random_labels) {
  fields.real({"train_fraction", "share of the pairs that is trained on"}, train_fraction,
              {.low = 0, .high = 1, .open_low = true});
  random_labels.fields(fields);
}

PairTask::PairTask(double train_fraction, const RandomLabels& random_labels, int64_t elements, int64_t first_b)
    : train_fraction_(train_fraction), random_labels_(random_labels), elements_(elements), first_b_(first_b) {
  if (train_count() < 1) throw Error("'train_fraction' leaves no training pair of " + std::to_string(pair_count()));
}

int64_t PairTask::train_count() const {
  return static_cast<int64_t>(train_fraction_ * static_cast<double>(pair_count()));
}

std::pair<Tensor, Tensor> PairTask::split(const Tensor& a, const Tensor& b, int64_t seed) const {
  // Training pairs are ordered by strips of 18 a's and, within a strip, by b: neighbours, wherever one begins to count,
  // read the same few rows of a model's tables.
  const int64_t strips = std::max<int64_t>(1, elements_ / 18);
  const Tensor strip = (a * strips).div(elements_, "floor");
  const Tensor rank = (strip * elements_ + b) * pair_count() + at::arange(pair_count(), at::kLong);
  auto generator = stream(seed, "split");
  const Tensor order = at::randperm(pair_count(), generator, at::TensorOptions().dtype(at::kLong));
  const Tensor chosen = order.narrow(0, 0, train_count());
  return {chosen.index_select(0, rank.index_select(0, chosen).argsort()),
          order.narrow(0, train_count(), pair_count() - train_count())};
}

Dataset PairTask::make(const std::vector<int64_t>& seeds) const {
  const Tensor a = at::arange(elements_, at::kLong).repeat_interleave(elements_ - first_b_);
  const Tensor b = at::arange(first_b_, elements_, at::kLong).repeat({elements_});
  std::vector<Tensor> truth, labels, train, test;
  for (size_t run = 0; run < seeds.size(); ++run) {
    const auto [train_B, test_B] = split(a, b, seeds[run]);
    truth.push_back(classes(a, b, seeds[run]));
    labels.push_back(random_labels_.changed(truth.back(), train_B, elements_, run, seeds[run]));
    train.push_back(train_B);
    test.push_back(test_B);
  }
  return {.inputs = at::stack({a, b}, -1).unsqueeze(0).expand({static_cast<int64_t>(seeds.size()), -1, -1}),
          .targets_RN = at::stack(labels),
          .train_RB = at::stack(train),
          .test_RB = at::stack(test),
          .truth_RN = random_labels_.any() ? at::stack(truth) : Tensor(),
          .group = group()};
}

int64_t PairTask::find(const std::vector<int64_t>& input) const {
  if (input.size() != 2) throw Error("an input of this task is two numbers a,b");
  if (input[0] < 0 || input[0] >= elements_ || input[1] < first_b_ || input[1] >= elements_) {
    const std::string last = std::to_string(elements_ - 1);
    throw Error("the input " + std::to_string(input[0]) + "," + std::to_string(input[1]) +
                " is out of range: a is 0 to " + last + ", b is " + std::to_string(first_b_) + " to " + last);
  }
  return input[0] * (elements_ - first_b_) + input[1] - first_b_;
}

}  // namespace logodds
