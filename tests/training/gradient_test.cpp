// The fast gradient in float32 against the plain one: both are held against float64.

#include "training/gradient.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "core/seeds.h"
#include "models/mlp.h"
#include "models/ops/batched.h"
#include "models/transformer.h"
#include "training/losses/cross_entropy.h"
#include "training/optimizers/adamw.h"
#include "training/tasks/modular_addition.h"

namespace logodds {
namespace {

/// The same model without its folded form.
template <class M>
struct Plain : M {
  using M::M;
  std::optional<Folded> fold(const Parameters&, const Inputs&, bool) const override { return std::nullopt; }
};

template <class M>
struct Training {
  explicit Training(const typename M::Options& options, double learning_rate)
      : task({.p = 23, .operation = "add", .train_fraction = 0.7}),
        model(options, task.shape()),
        plain(options, task.shape()),
        parameters(model.specs(), 1, at::kFloat),
        optimizer({.learning_rate = learning_rate, .weight_decay = 0.5}, parameters) {
    parameters.initialise({0}, {1.0});
    const Dataset data = task.make({0});
    inputs = lookup(data.inputs, data.train_RB);
    targets = data.targets_RN.gather(1, data.train_RB);
  }

  double step() {
    const double loss = loss_gradient(model, CrossEntropyLoss({}), parameters, inputs, targets).template item<double>();
    optimizer.step(parameters, at::scalar_tensor(1.0, at::kDouble));
    return loss;
  }

  /// Relative errors of every tensor's gradient on some of the samples, given the exact ones.
  std::vector<double> errors(const Model& which, const Parameters& exact, const Tensor& samples) {
    loss_gradient(which, CrossEntropyLoss({}), parameters, inputs.index_select(1, samples),
                  targets.index_select(1, samples));
    std::vector<double> list;
    for (size_t i = 0; i < exact.gradients().size(); ++i) {
      const Tensor& right = exact.gradients()[i];
      list.push_back(((parameters.gradients()[i] - right).norm() / right.norm()).template item<double>());
    }
    return list;
  }

  /// The samples that keep away from every ReLU's kink: where rounding moves one hidden unit of one sample across it,
  /// either gradient is far off, by chance.
  Tensor away_from_kinks(const Parameters& exact) {
    constexpr double kDistance = 3e-6;
    Tensor away = at::ones({inputs.size(1)}, at::kBool);
    plain.trace(exact, inputs, [&](const std::string& name, const Tensor& activation) {
      if (name.ends_with("hook_pre")) away &= activation[0].flatten(1).abs().amin(1) > kDistance;
      return activation;
    });
    return away.nonzero().flatten();
  }

  /// Medians over subsets of the samples.
  void expect_fast_gradient_at_most_twice_as_wrong(const std::string& when) {
    constexpr int kSubsets = 25;
    const size_t tensors = parameters.specs().size();
    std::vector<std::vector<double>> fast(tensors), reference(tensors);
    Parameters exact = parameters.to(at::kDouble);
    const Tensor away = away_from_kinks(exact);
    ASSERT_GT(away.size(0), inputs.size(1) / 2) << when;
    for (int subset = 0; subset < kSubsets; ++subset) {
      auto generator = stream(subset, "subset");
      const Tensor order = at::randperm(away.size(0), generator, at::kLong).narrow(0, 0, inputs.size(1) / 4);
      const Tensor samples = away.index_select(0, order);
      loss_gradient(plain, CrossEntropyLoss({}), exact, inputs.index_select(1, samples),
                    targets.index_select(1, samples));
      const auto fast_errors = errors(model, exact, samples), plain_errors = errors(plain, exact, samples);
      for (size_t i = 0; i < tensors; ++i) {
        fast[i].push_back(fast_errors[i]);
        reference[i].push_back(plain_errors[i]);
      }
    }
    const auto median = [](std::vector<double>& list) {
      std::nth_element(list.begin(), list.begin() + kSubsets / 2, list.end());
      return list[kSubsets / 2];
    };
    for (size_t i = 0; i < tensors; ++i) {
      EXPECT_LE(median(fast[i]), 2 * median(reference[i])) << when << ": " << parameters.specs()[i].name;
    }
  }

  void check() {
    expect_fast_gradient_at_most_twice_as_wrong("at initialisation");
    double loss = 1;
    int64_t steps = 0;
    for (; steps < 300; ++steps) loss = step();
    expect_fast_gradient_at_most_twice_as_wrong("after 300 steps");
    for (; steps < 20000 && loss > 1e-7; ++steps) loss = step();
    ASSERT_LT(loss, 1e-7);
    expect_fast_gradient_at_most_twice_as_wrong("at a loss below 1e-7");
  }

  ModularAddition task;
  M model;
  Plain<M> plain;
  Parameters parameters;
  AdamW optimizer;
  Tensor inputs, targets;
};

TEST(Gradient, TheTransformersIsAtMostTwiceAsFarFromFloat64AsPlainAutograds) {
  Transformer::Options options;
  options.d_model = 64;
  options.d_mlp = 256;
  Training<Transformer>(options, 3e-3).check();
}

TEST(Gradient, TheMlpsIsAtMostTwiceAsFarFromFloat64AsPlainAutograds) {
  Mlp::Options options;
  options.d_embed = 64;
  options.hidden = {256, 64};
  Training<Mlp>(options, 3e-3).check();
}

TEST(Gradient, OfAPackThatThreadsShareIsBitForBitThatOfItsRunsInOneThread) {
  const ModularAddition task({.p = 23, .operation = "add", .train_fraction = 0.7});
  const Transformer model({}, task.shape());  // its weights fill a cache: a part is one run
  const std::vector<int64_t> seeds{0, 1, 2, 3, 4};
  Parameters pack(model.specs(), std::ssize(seeds), at::kFloat);
  pack.initialise(seeds, std::vector<double>(seeds.size(), 1.0));
  const Dataset data = task.make(seeds);
  const Tensor inputs = lookup(data.inputs, data.train_RB), targets = data.targets_RN.gather(1, data.train_RB);
  const int threads = at::get_num_threads();
  at::set_num_threads(2);
  const Tensor losses = loss_gradient(model, CrossEntropyLoss({}), pack, inputs, targets);
  at::set_num_threads(1);
  for (int64_t run = 0; run < pack.runs(); ++run) {
    Parameters one = pack.select(run);
    const Tensor loss =
        loss_gradient(model, CrossEntropyLoss({}), one, inputs.narrow(0, run, 1), targets.narrow(0, run, 1));
    EXPECT_TRUE(at::equal(losses.narrow(0, run, 1), loss)) << run;
    EXPECT_TRUE(at::equal(pack.flat_gradient().narrow(0, run, 1), one.flat_gradient())) << run;
  }
  at::set_num_threads(threads);
}

}  // namespace
}  // namespace logodds
