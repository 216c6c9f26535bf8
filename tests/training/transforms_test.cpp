// Transforms and the optimizers of the literature: against Python PyTorch (tests/golden/pytorch_reference.py), by their
// invariants, and resumed.

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/list_fields.h"
#include "core/read_fields.h"
#include "core/seeds.h"
#include "models/mlp.h"
#include "tests/golden/reference.h"
#include "training/gradient.h"
#include "training/losses/cross_entropy.h"
#include "training/losses/stablemax.h"
#include "training/optimizers/adam.h"
#include "training/optimizers/muon.h"
#include "training/optimizers/sgd.h"
#include "training/schedules/cosine.h"
#include "training/schedules/multi_step.h"
#include "training/transform.h"
#include "training/transforms/constrained_norm.h"
#include "training/transforms/grokfast.h"
#include "training/transforms/l23_penalty.h"
#include "training/transforms/orthogonal_gradient.h"

namespace logodds {
namespace {

Tensor number(double value) { return at::scalar_tensor(value, at::kDouble); }

Mlp reference_mlp() {
  Mlp::Options shape;
  shape.embedding = "separate";
  shape.combine = "concatenation";
  shape.d_embed = 8;
  shape.hidden = {12, 12};
  shape.activation = "gelu";
  return {shape, {7, 2, 7}};
}

Mlp one_hot_mlp() {
  Mlp::Options shape;
  shape.embedding = "one_hot";
  shape.combine = "concatenation";
  shape.hidden = {12};
  shape.activation = "quadratic";
  shape.bias = false;
  return {shape, {7, 2, 7}};
}

Sgd::Options reference_sgd() {
  Sgd::Options options;
  options.learning_rate = 0.05;
  options.weight_decay = 0.01;
  options.momentum = 0.9;
  return options;
}

Adam::Options reference_adam() {
  Adam::Options options;
  options.learning_rate = 5e-3;
  options.weight_decay = 0.1;
  options.beta2 = 0.98;
  return options;
}

/// Weights of the case "mlp" (or `start`) after 100 steps against those of PyTorch under `name`.
template <class MakeOptimizer>
void expect_like_pytorch(const std::string& name, const MakeOptimizer& make, const Loss& loss = CrossEntropyLoss({}),
                         const Mlp& model = reference_mlp(), const std::string& start = "mlp") {
  Parameters parameters(model.specs(), 1, at::kDouble);
  parameters.load(0, reference_under(start + "/weights/"), start);
  const NamedTensors samples = reference_under("mlp/");
  const std::unique_ptr<Optimizer> optimizer = make(parameters);
  for (int64_t step = 0; step < 100; ++step) {
    loss_gradient(model, loss, parameters, samples.at("inputs").unsqueeze(0), samples.at("targets").unsqueeze(0));
    const at::NoGradGuard no_grad;
    optimizer->step(parameters, number(1));
  }
  const NamedTensors trained = reference_under(name + "/trained/");
  ASSERT_EQ(trained.size(), parameters.specs().size());
  for (const auto& [tensor, weights] : trained) {
    EXPECT_LT((parameters[tensor][0] - weights).abs().max().template item<double>(), 1e-6) << name << " " << tensor;
  }
}

template <class T>
std::pair<std::string, std::unique_ptr<Transform>> named(const typename T::Options& options, const Parameters& p) {
  return {typeid(T).name(), std::make_unique<T>(options, p)};
}

/// SGD with one transform around it.
template <class T>
auto around_sgd(const typename T::Options& options) {
  return [options](const Parameters& parameters) -> std::unique_ptr<Optimizer> {
    TransformedOptimizer::Named transforms;
    transforms.push_back(named<T>(options, parameters));
    return std::make_unique<TransformedOptimizer>(std::move(transforms),
                                                  std::make_unique<Sgd>(reference_sgd(), parameters));
  };
}

TEST(Transforms, OrthogonalGradientTrainsLikeItsEquationInPyTorch) {
  expect_like_pytorch("orthogonal", around_sgd<OrthogonalGradient>({}));
  expect_like_pytorch("orthogonal_global", around_sgd<OrthogonalGradient>({.scope = "global", .rescale = false}));
}

TEST(Transforms, GrokfastTrainsLikeItsEquationInPyTorch) {
  expect_like_pytorch("grokfast_ema", around_sgd<Grokfast>({.amplification = 2.0, .decay = 0.9}));
  expect_like_pytorch("grokfast_ma", around_sgd<Grokfast>({.filter = "ma", .amplification = 5.0, .window_steps = 8}));
}

TEST(Transforms, ConstrainedNormTrainsLikeItsEquationInPyTorch) {
  expect_like_pytorch("constrained", around_sgd<ConstrainedNorm>({}));
}

TEST(Transforms, L23PenaltyTrainsLikeItsEquationInPyTorch) {
  expect_like_pytorch("l23", around_sgd<L23Penalty>({.coefficient = 1e-2}), CrossEntropyLoss({}), one_hot_mlp(), "l23");
}

TEST(Transforms, AreAppliedInTheirOrder) {
  expect_like_pytorch("grokfast_orthogonal", [](const Parameters& parameters) {
    TransformedOptimizer::Named transforms;
    transforms.push_back(named<Grokfast>({.amplification = 2.0, .decay = 0.9}, parameters));
    transforms.push_back(named<OrthogonalGradient>({}, parameters));
    return std::make_unique<TransformedOptimizer>(std::move(transforms),
                                                  std::make_unique<Sgd>(reference_sgd(), parameters));
  });
}

TEST(Optimizers, AdamTrainsLikePyTorchFor100Steps) {
  const auto make = [](const Parameters& p) { return std::make_unique<Adam>(reference_adam(), p); };
  expect_like_pytorch("adam", make);
  expect_like_pytorch("stablemax", make, StableMaxLoss({}));
}

TEST(Optimizers, MuonTrainsLikePyTorchFor100Steps) {
  Muon::Options options;
  options.adamw.learning_rate = 1e-2;
  options.adamw.weight_decay = 0.5;
  expect_like_pytorch("muon", [&](const Parameters& p) { return std::make_unique<Muon>(options, p); });
}

TEST(Optimizers, NewtonSchulzBringsSingularValuesNearOneAndKeepsSingularVectors) {
  auto generator = stream(3, "matrices");
  for (const auto& [m, n] : {std::pair<int64_t, int64_t>{5, 9}, {9, 5}}) {
    const Tensor matrices = at::randn({4, m, n}, generator, at::kDouble);
    const Tensor result = orthogonalised(matrices);
    const auto [u, s, v] = at::linalg_svd(matrices, /*full_matrices=*/false);
    const Tensor rotated = u.transpose(1, 2).bmm(result).bmm(v.transpose(1, 2));
    const Tensor singular = rotated.diagonal(0, 1, 2);
    EXPECT_LT((rotated - singular.diag_embed()).abs().max().item<double>(), 1e-12);
    EXPECT_GT(singular.min().item<double>(), 0.3);
    EXPECT_LT(singular.max().item<double>(), 1.3);
  }
}

/// Two runs of the quadratic one-hot network, weights and gradients random.
Parameters random_parameters(at::ScalarType type = at::kDouble) {
  Parameters parameters(one_hot_mlp().specs(), 2, type);
  parameters.initialise({1, 2}, {1, 3});
  auto generator = stream(4, "gradients");
  parameters.flat_gradient().copy_(at::randn(parameters.flat().sizes(), generator, at::kDouble));
  return parameters;
}

TEST(Transforms, TheOrthogonalGradientIsOrthogonalAndAsLongAsItWas) {
  for (const auto& scope : scopes()) {
    for (const bool rescale : {true, false}) {
      Parameters parameters = random_parameters();
      std::vector<Tensor> before;
      for (const auto& block : blocks(parameters, scope)) {
        before.push_back(dot_per_run(block.gradient_Rn, block.gradient_Rn).sqrt());
      }
      OrthogonalGradient({.scope = scope, .rescale = rescale}, parameters).change_gradient(parameters);
      size_t k = 0;
      for (const auto& block : blocks(parameters, scope)) {
        EXPECT_LT(dot_per_run(block.weights_Rn, block.gradient_Rn).abs().max().item<double>(), 1e-12);
        const Tensor ratio = dot_per_run(block.gradient_Rn, block.gradient_Rn).sqrt() / before[k++];
        if (rescale) {
          EXPECT_NEAR(ratio.min().item<double>(), 1, 1e-12);
        } else {
          EXPECT_LT(ratio.max().item<double>(), 1);
        }
      }
    }
  }
}

TEST(Transforms, AGradientAlongTheWeightsVanishesAndIsNotRescaled) {
  Parameters parameters = random_parameters();
  parameters.flat_gradient().copy_(parameters.flat() * -3);
  OrthogonalGradient({}, parameters).change_gradient(parameters);
  EXPECT_LT(parameters.flat_gradient().abs().max().item<double>(), 1e-12);
}

TEST(Transforms, ConstrainedNormRestoresTheInitialNormAndLeavesTensorsOfZerosFree) {
  Parameters parameters({{"w", {3, 4}, 1}, {"b", {5}}}, 2, at::kDouble);
  parameters.initialise({1, 2}, {1, 3});
  const Tensor total = parameters.flat().norm(2, {1}), of_w = parameters["w"].norm(2, {1, 2});
  for (const auto& scope : scopes()) {
    ConstrainedNorm constrained({.scope = scope}, parameters);
    Parameters moved = parameters.to(at::kDouble);
    moved["w"].mul_(5);
    moved["b"].fill_(1);
    constrained.change_weights(moved);
    if (scope == "global") {
      EXPECT_LT((moved.flat().norm(2, {1}) - total).abs().max().item<double>(), 1e-12);
    } else {
      EXPECT_LT((moved["w"].norm(2, {1, 2}) - of_w).abs().max().item<double>(), 1e-12);
      EXPECT_TRUE(moved["b"].equal(at::ones({2, 5}, at::kDouble)));
    }
  }
}

TEST(Transforms, L23OfAnotherModelIsRefusedWithWhatWouldBeRight) {
  Parameters parameters(reference_mlp().specs(), 1, at::kDouble);
  try {
    L23Penalty({}, parameters);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("one hidden layer, no biases and no embedding"), std::string::npos);
  }
}

/// An optimizer with these transforms, all with default options.
std::unique_ptr<Optimizer> by_name(const std::string& optimizer, const std::vector<std::string>& around,
                                   const Parameters& parameters) {
  TransformedOptimizer::Named made;
  for (const auto& name : around) {
    if (name == "grokfast ma") {
      made.push_back(named<Grokfast>({.filter = "ma", .window_steps = 4}, parameters));
    } else {
      made.emplace_back(name, Selection(transforms(), name).make<Transform>(parameters));
    }
  }
  return std::make_unique<TransformedOptimizer>(std::move(made),
                                                Selection(optimizers(), optimizer).make<Optimizer>(parameters));
}

TEST(Transforms, EveryOptimizerWithEveryTransformResumesBitForBit) {
  const Mlp model = one_hot_mlp();
  const Tensor inputs = reference_under("mlp/").at("inputs").unsqueeze(0).expand({2, -1, -1});
  const Tensor targets = reference_under("mlp/").at("targets").unsqueeze(0).expand({2, -1});
  const auto train = [&](Parameters& parameters, Optimizer& optimizer, int64_t steps) {
    for (int64_t step = 0; step < steps; ++step) {
      loss_gradient(model, CrossEntropyLoss({}), parameters, inputs, targets);
      const at::NoGradGuard no_grad;
      optimizer.step(parameters, number(1));
    }
  };
  std::vector<std::vector<std::string>> around{{}, {"grokfast ma"}, transforms().names()};
  for (const auto& name : transforms().names()) around.push_back({name});
  for (const auto& optimizer : optimizers().names()) {
    for (const auto& names : around) {
      Parameters whole = random_parameters(at::kFloat), first = random_parameters(at::kFloat);
      for (Parameters* parameters : {&whole, &first}) parameters->flat_gradient().zero_();  // that of the padding stays
      const auto uninterrupted = by_name(optimizer, names, whole), before = by_name(optimizer, names, first);
      train(whole, *uninterrupted, 12);
      train(first, *before, 5);
      NamedTensors state;
      for (const auto& [key, tensor] : before->state()) state[key] = tensor.clone();
      Parameters second(model.specs(), 2, at::kFloat);  // zeros: what depends on the start must come from the state
      const auto after = by_name(optimizer, names, second);
      second.flat().copy_(first.flat());
      after->restore(state);
      train(second, *after, 7);
      EXPECT_TRUE(second.flat().equal(whole.flat())) << optimizer << " with " << (names.empty() ? "none" : names[0]);
      EXPECT_TRUE(whole.flat().isfinite().all().item<bool>()) << optimizer;
    }
  }
}

/// What of a configuration says how weights are updated.
struct Update {
  Selection optimizer{optimizers(), "adamw"};
  std::vector<Selection> around;
  RunAxes runs;

  Update(const std::string& text, const std::string& assignment) {
    Node root = parse_yaml(text, "test");
    apply_override(root, assignment);
    Problems problems;
    ReadFields reader(root, problems);
    reader.component({"optimizer", ""}, optimizer);
    reader.components({"transforms", ""}, around, Selection(transforms()));
    reader.axes({"runs", ""}, runs);
    reader.finish();
    problems.throw_if_any();
  }

  /// Weights [R,n] after six steps, every run from the same start.
  Tensor trained() const {
    const Mlp model = one_hot_mlp();
    const auto count = static_cast<int64_t>(runs.run_count());
    Parameters parameters(model.specs(), count, at::kDouble);
    parameters.initialise(std::vector<int64_t>(runs.run_count(), 1), std::vector<double>(runs.run_count(), 1));
    TransformedOptimizer::Named made;
    for (const auto& selection : around) {
      made.emplace_back(selection.name(), selection.make<Transform>(std::as_const(parameters)));
    }
    TransformedOptimizer all(std::move(made), optimizer.make<Optimizer>(std::as_const(parameters)));
    const NamedTensors samples = reference_under("mlp/");
    for (int64_t step = 0; step < 6; ++step) {
      loss_gradient(model, CrossEntropyLoss({}), parameters, samples.at("inputs").unsqueeze(0).expand({count, -1, -1}),
                    samples.at("targets").unsqueeze(0).expand({count, -1}));
      const at::NoGradGuard no_grad;
      all.step(parameters, number(1));
    }
    return parameters.flat();
  }
};

TEST(Transforms, EveryNumberOfAnOptimizerOrTransformMayDifferBetweenRuns) {
  int64_t checked = 0;
  const auto check = [&](const Catalogue& catalogue, const std::string& path_of_all, auto text_of) {
    for (const auto& entry : catalogue.entries()) {
      ListFields list;
      entry.choose()->fields(list);
      for (const auto& field : list.descriptions()) {
        const bool is_number = field.allowed.starts_with("a number");
        EXPECT_EQ(field.per_run, is_number) << entry.name << " " << field.key;
        if (!is_number) continue;
        const std::string path = path_of_all + (path_of_all == "optimizer." ? "" : entry.name + ".") + field.key;
        const std::string text = text_of(entry.name);
        const Tensor pack = Update(text, "runs={" + path + ": [0.3, 0.6]}").trained();
        const Tensor alone = Update(text, path + "=0.6").trained();
        EXPECT_LT((pack[1] - alone[0]).abs().max().item<double>(), 1e-10) << path;
        EXPECT_GT((pack[0] - pack[1]).abs().max().item<double>(), 1e-6) << path;
        ++checked;
      }
    }
  };
  check(optimizers(), "optimizer.", [](const std::string& name) { return "optimizer: {kind: " + name + "}\n"; });
  check(transforms(), "transforms.", [](const std::string& name) { return "transforms: {" + name + ": {}}\n"; });
  EXPECT_GE(checked, 20);
}

TEST(Schedules, CosineFallsFromTheWarmUpToItsFloor) {
  const CosineSchedule cosine({.steps = 110, .warmup_steps = 10, .floor = 0.2});
  EXPECT_EQ(cosine.factor(0), 0);
  EXPECT_EQ(cosine.factor(5), 0.5);
  EXPECT_EQ(cosine.factor(10), 1);
  EXPECT_NEAR(cosine.factor(60), 0.6, 1e-15);
  EXPECT_NEAR(cosine.factor(35), 0.2 + 0.8 * (1 + std::sqrt(0.5)) / 2, 1e-15);
  EXPECT_NEAR(cosine.factor(110), 0.2, 1e-15);
  EXPECT_NEAR(cosine.factor(5000), 0.2, 1e-15);
  EXPECT_THROW(CosineSchedule({.steps = 10, .warmup_steps = 10}), Error);
}

TEST(Schedules, MultiStepChangesByItsFactorAtEveryMilestone) {
  const MultiStepSchedule doubling({.milestones = {1000, 2000, 2500}, .gamma = 2});
  EXPECT_EQ(doubling.factor(0), 1);
  EXPECT_EQ(doubling.factor(999), 1);
  EXPECT_EQ(doubling.factor(1000), 2);
  EXPECT_EQ(doubling.factor(2499), 4);
  EXPECT_EQ(doubling.factor(2500), 8);
  EXPECT_EQ(doubling.factor(1000000), 8);
  EXPECT_EQ(MultiStepSchedule({.milestones = {}, .gamma = 2}).factor(7), 1);
}

}  // namespace
}  // namespace logodds
