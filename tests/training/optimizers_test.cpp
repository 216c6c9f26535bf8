// Updates against Python PyTorch's own optimizers: 100 full-batch steps stored by tests/golden/pytorch_reference.py.

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/seeds.h"
#include "models/mlp.h"
#include "models/transformer.h"
#include "tests/golden/reference.h"
#include "training/gradient.h"
#include "training/losses/cross_entropy.h"
#include "training/optimizers/adamw.h"
#include "training/optimizers/sgd.h"
#include "training/schedules/warmup.h"

namespace logodds {
namespace {

Tensor number(double value) { return at::scalar_tensor(value, at::kDouble); }

void expect_trains_like_pytorch(const Model& model, const std::string& name, Parameters& parameters,
                                Optimizer& optimizer, const Schedule* schedule) {
  const NamedTensors reference = reference_under(name + "/");
  parameters.load(0, reference_under(name + "/weights/"), name);
  const Tensor inputs = reference.at("inputs").unsqueeze(0), targets = reference.at("targets").unsqueeze(0);
  for (int64_t step = 0; step < 100; ++step) {
    loss_gradient(model, CrossEntropyLoss({}), parameters, inputs, targets);
    const at::NoGradGuard no_grad;
    optimizer.step(parameters, number(schedule == nullptr ? 1 : schedule->factor(step)));
  }
  for (const auto& [tensor, weights] : reference_under(name + "/trained/")) {
    EXPECT_LT((parameters[tensor][0] - weights).abs().max().item<double>(), 1e-6) << tensor;
  }
}

TEST(Optimizers, AdamWWithWarmupTrainsLikePyTorchFor100Steps) {
  Transformer::Options shape;
  shape.d_model = 8;
  shape.heads = 2;
  shape.d_mlp = 12;
  const Transformer model(shape, {7, 2, 7});
  Parameters parameters(model.specs(), 1, at::kDouble);
  AdamW::Options options;
  options.learning_rate = 1e-2;
  options.weight_decay = 0.5;
  AdamW adamw(options, parameters);
  const WarmupSchedule warmup({.warmup_steps = 10});
  expect_trains_like_pytorch(model, "equals", parameters, adamw, &warmup);
}

TEST(Optimizers, SgdWithMomentumAndDecayTrainsLikePyTorchFor100Steps) {
  Mlp::Options shape;
  shape.embedding = "separate";
  shape.combine = "concatenation";
  shape.d_embed = 8;
  shape.hidden = {12, 12};
  shape.activation = "gelu";
  const Mlp model(shape, {7, 2, 7});
  Parameters parameters(model.specs(), 1, at::kDouble);
  Sgd::Options options;
  options.learning_rate = 0.05;
  options.weight_decay = 0.01;
  options.momentum = 0.9;
  Sgd sgd(options, parameters);
  expect_trains_like_pytorch(model, "mlp", parameters, sgd, nullptr);
}

TEST(Optimizers, EachRunHasItsOwnLearningRateAndWeightDecay) {
  // A zero gradient leaves decay alone: w ← (1 - ηλ) w for AdamW, w ← w - ηλ w for SGD.
  const auto decayed = [](auto optimizer_of) {
    Parameters parameters({{"w", {4}}}, 2, at::kDouble);
    parameters.flat().fill_(1);
    optimizer_of(parameters)->step(parameters, number(0.5));
    return std::pair(parameters["w"][0][0].item<double>(), parameters["w"][1][0].item<double>());
  };
  const auto check = [&](auto options, auto make) {
    options.learning_rate.runs = {0.1, 0.2};
    options.weight_decay.runs = {1, 3};
    const auto [first, second] = decayed([&](Parameters& p) { return make(options, p); });
    EXPECT_NEAR(first, 1 - 0.5 * 0.1 * 1, 1e-15);
    EXPECT_NEAR(second, 1 - 0.5 * 0.2 * 3, 1e-15);
  };
  check(AdamW::Options(), [](const auto& o, Parameters& p) { return std::make_unique<AdamW>(o, p); });
  check(Sgd::Options(), [](const auto& o, Parameters& p) { return std::make_unique<Sgd>(o, p); });
}

/// Weights [2,n], n no multiple of anything, after 60 updates with random gradients and changing factors.
Tensor updated(at::ScalarType type, const std::function<void(AdamW&, Parameters&, const Tensor&)>& step) {
  Parameters parameters({{"w", {37, 59}, 1}}, 2, type);
  parameters.initialise({1, 2}, {1, 1});
  AdamW::Options options;
  options.learning_rate.runs = {0.01, 0.002};
  options.weight_decay.runs = {1, 0.3};
  AdamW adamw(options, parameters);
  auto generator = stream(5, "gradients");
  const Tensor factor = number(0);
  for (int64_t t = 0; t < 60; ++t) {
    parameters.flat_gradient().copy_(at::randn(parameters.flat().sizes(), generator, at::kDouble) * std::pow(0.8, t));
    factor.fill_(std::min(static_cast<double>(t) / 10, 1.0));
    step(adamw, parameters, factor);
  }
  return parameters.flat();
}

/// The same by LibTorch's fused operator, which takes one learning rate and weight decay at a time.
Tensor updated_by_libtorch(at::ScalarType type) {
  Tensor mean, square, updates;
  return updated(type, [&](AdamW&, Parameters& parameters, const Tensor& factor) {
    const Tensor& flat = parameters.flat();
    if (!mean.defined()) {
      mean = at::zeros_like(flat), square = at::zeros_like(flat), updates = at::zeros({}, at::kFloat);
    }
    updates.add_(1);
    const std::array rates{0.01, 0.002}, decays{1.0, 0.3};
    for (int64_t r = 0; r < 2; ++r) {
      const auto row = [r](const Tensor& x) { return std::vector<Tensor>{x.select(0, r)}; };
      at::_fused_adamw_(row(flat), row(parameters.flat_gradient()), row(mean), row(square), {}, {updates},
                        rates.at(static_cast<size_t>(r)) * factor.item<double>(), 0.9, 0.98,
                        decays.at(static_cast<size_t>(r)), 1e-8, /*amsgrad=*/false, /*maximize=*/false);
    }
  });
}

TEST(Optimizers, AdamWUpdatesAsLibTorchsFusedOperatorOnTheCpuAndInTheLoopsThatAGpuRuns) {
  const Tensor exact = updated_by_libtorch(at::kDouble);
  const auto error = [&](const Tensor& weights) { return (weights - exact).abs().max().item<double>(); };
  const double libtorchs = error(updated_by_libtorch(at::kFloat));
  EXPECT_LT(libtorchs, 1e-4);
  for (const auto& step : {&AdamW::step, &AdamW::step_by_loops}) {
    const auto by = [step](AdamW& adamw, Parameters& parameters, const Tensor& factor) {
      (adamw.*step)(parameters, factor);
    };
    EXPECT_LT(error(updated(at::kDouble, by)), 1e-13);
    EXPECT_LT(error(updated(at::kFloat, by)), 2 * libtorchs) << libtorchs;
  }
}

TEST(Optimizers, AdamWsFirstUpdateIsTheLearningRateToFloat32sPrecision) {
  // m / (1 - β₁) = g and v / (1 - β₂) = g², if 1 - β₂ = .001 is not that of a rounded β₂, off by 1e-5 of itself.
  for (const auto& step : {&AdamW::step, &AdamW::step_by_loops}) {
    Parameters parameters({{"w", {33}}}, 1, at::kFloat);
    parameters.flat_gradient().fill_(-0.3);
    AdamW::Options options;
    options.learning_rate = 1;
    options.weight_decay = 0;
    options.beta2 = 0.999;
    options.epsilon = 0;
    AdamW adamw(options, parameters);
    (adamw.*step)(parameters, number(1));
    EXPECT_LT((parameters["w"] - 1).abs().max().item<double>(), 5e-7);
  }
}

TEST(Optimizers, TheLoopsThatAGpuRunsUpdateByTheFormula) {
  Parameters parameters({{"w", {1500}, 1}}, 2, at::kDouble);
  parameters.initialise({1, 2}, {1, 1});
  AdamW::Options options;
  options.learning_rate.runs = {0.01, 0.002};
  options.weight_decay.runs = {1, 0.3};
  options.beta1.runs = {0.9, 0.5};
  options.beta2.runs = {0.98, 0.9};
  options.epsilon.runs = {1e-8, 1e-3};
  AdamW adamw(options, parameters);
  const Tensor rate = at::tensor({0.01, 0.002}, at::kDouble).unsqueeze(1) * 0.25;
  const Tensor decay = at::tensor({1.0, 0.3}, at::kDouble).unsqueeze(1);
  const Tensor beta1 = at::tensor({0.9, 0.5}, at::kDouble).unsqueeze(1);
  const Tensor beta2 = at::tensor({0.98, 0.9}, at::kDouble).unsqueeze(1);
  const Tensor epsilon = at::tensor({1e-8, 1e-3}, at::kDouble).unsqueeze(1);
  Tensor w = parameters.flat().clone(), m = at::zeros_like(w), v = at::zeros_like(w);
  for (int t = 1; t <= 5; ++t) {
    const Tensor g = parameters.flat_gradient().copy_((w * t).sin());
    w = w - rate * decay * w;
    m = beta1 * m + (1 - beta1) * g;
    v = beta2 * v + (1 - beta2) * g.square();
    w = w - rate * (m / (1 - at::pow(beta1, t))) / ((v / (1 - at::pow(beta2, t))).sqrt() + epsilon);
    adamw.step_by_loops(parameters, number(0.25));
  }
  EXPECT_LT((parameters.flat() - w).abs().max().item<double>(), 1e-14);
}

TEST(Optimizers, WarmupRisesLinearlyFromZero) {
  const WarmupSchedule warmup({.warmup_steps = 10});
  EXPECT_EQ(warmup.factor(0), 0);
  EXPECT_EQ(warmup.factor(5), 0.5);
  EXPECT_EQ(warmup.factor(10), 1);
  EXPECT_EQ(warmup.factor(1000), 1);
}

}  // namespace
}  // namespace logodds
