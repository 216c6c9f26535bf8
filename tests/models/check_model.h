#pragma once

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "core/seeds.h"
#include "models/model.h"
#include "models/ops/tile_step.h"

namespace logodds {

inline Tensor untapped(const std::string&, const Tensor& activation) { return activation; }

/// Random weights of R runs in float64, biases included.
inline Parameters random_parameters(const Model& model, int64_t runs, int64_t seed = 0) {
  Parameters parameters(model.specs(), runs, at::TensorOptions().dtype(at::kDouble));
  for (size_t i = 0; i < parameters.views().size(); ++i) {
    auto generator = stream(seed, parameters.specs()[i].name);
    parameters.views()[i].copy_(at::randn(parameters.views()[i].sizes(), generator, at::kDouble) * 0.5);
  }
  return parameters;
}

/// Inputs [R,B,2], the runs different, with repeated samples.
inline Tensor random_inputs(int64_t runs, int64_t samples, int64_t p) {
  auto generator = stream(7, "inputs");
  return at::randint(p, {runs, samples, 2}, generator, at::kLong);
}

inline std::vector<Tensor> gradients_of(Parameters& parameters, const Tensor& logits, const Tensor& weights) {
  return torch::autograd::grad({logits}, parameters.views(), {weights}, /*retain_graph=*/true, /*create_graph=*/false,
                               /*allow_unused=*/true);
}

inline void expect_same_gradients(const Parameters& parameters, const std::vector<Tensor>& expected,
                                  const std::vector<Tensor>& actual, const std::string& what) {
  for (size_t i = 0; i < expected.size(); ++i) {
    const double size = expected[i].abs().max().item<double>();
    EXPECT_LT((expected[i] - actual[i]).abs().max().item<double>(), 1e-11 * std::max(size, 1.0))
        << what << ": gradient of " << parameters.specs()[i].name;
  }
}

/// The tile step's gradients of Σ weights · logits, where the model has one; `weights` sum to 0 over the classes, for
/// the tile step may add a constant to all logits of a sample.
inline void expect_tile_step_equals(const Model& model, Parameters& parameters, const Tensor& inputs, Tensor weights,
                                    const std::vector<Tensor>& expected, const std::string& what) {
  const auto folded = model.fold(parameters, inputs, /*gauge=*/true);
  if (!folded || !tile_step_takes(*folded)) return;
  const int64_t V = weights.size(2);
  // The "loss" puts the given weights in the place of the logits; its targets number the samples.
  const RowLoss loss{{}, [&](double* logits, int64_t stride, const int64_t* samples, int64_t rows, double* losses) {
                       for (int64_t row = 0; row < rows; ++row) {
                         std::copy_n(weights.const_data_ptr<double>() + samples[row] * V, V, logits + row * stride);
                         losses[row] = 0;
                       }
                     }};
  const Tensor samples = at::arange(inputs.size(0) * inputs.size(1), at::kLong).view({inputs.size(0), inputs.size(1)});
  for (const int threads : {1, 3}) {
    const int before = at::get_num_threads();
    at::set_num_threads(threads);
    const auto result = tile_gradients(*folded, inputs, samples, V, loss);
    at::set_num_threads(before);
    const auto actual = torch::autograd::grad(folded->tensors(), parameters.views(), result.gradients,
                                              /*retain_graph=*/true, /*create_graph=*/false, /*allow_unused=*/true);
    expect_same_gradients(parameters, expected, actual, what + ", tiles of " + std::to_string(threads) + " threads");
  }
}

/// `logits` is the same function as `trace`, and so are its gradients: float64, relative to the largest entry.
inline void expect_logits_equal_trace(const Model& model, int64_t runs, int64_t p, const std::string& what) {
  Parameters parameters = random_parameters(model, runs);
  parameters.set_requires_grad(true);
  const Tensor inputs = random_inputs(runs, 150, p);
  const Tensor plain = model.trace(parameters, inputs, untapped), fast = model.logits(parameters, inputs);
  ASSERT_EQ(plain.sizes(), fast.sizes()) << what;
  const double scale = plain.abs().max().item<double>();
  EXPECT_LT((plain - fast).abs().max().item<double>(), 1e-11 * scale) << what;
  auto generator = stream(3, "output weights");
  const Tensor draws = at::randn(plain.sizes(), generator, at::kDouble), weights = draws - draws.mean(-1, true);
  expect_same_gradients(parameters, gradients_of(parameters, plain, weights), gradients_of(parameters, fast, weights),
                        what);
  expect_tile_step_equals(model, parameters, inputs, weights, gradients_of(parameters, plain, weights), what);
}

/// Gradients of Σ weights · logits against central differences, at a few entries of every tensor.
inline void expect_gradients_equal_differences(const Model& model, int64_t p) {
  Parameters parameters = random_parameters(model, 1);
  parameters.set_requires_grad(true);
  const Tensor inputs = random_inputs(1, 12, p);
  auto generator = stream(3, "output weights");
  const Tensor logits = model.logits(parameters, inputs);
  const Tensor weights = at::randn(logits.sizes(), generator, at::kDouble);
  const auto gradients = gradients_of(parameters, logits, weights);
  parameters.set_requires_grad(false);
  const auto value = [&] { return (model.logits(parameters, inputs) * weights).sum().item<double>(); };
  for (size_t i = 0; i < gradients.size(); ++i) {
    const Tensor flat = parameters.views()[i].view(-1), gradient = gradients[i].reshape(-1);
    for (int64_t entry = 0; entry < flat.size(0); entry += std::max<int64_t>(1, flat.size(0) / 5)) {
      const double middle = flat[entry].item<double>(), h = 1e-5;
      flat[entry] = middle + h;
      const double up = value();
      flat[entry] = middle - h;
      const double down = value();
      flat[entry] = middle;
      EXPECT_NEAR(gradient[entry].item<double>(), (up - down) / (2 * h), 1e-6 * std::max(1.0, std::abs(up)))
          << parameters.specs()[i].name << "[" << entry << "]";
    }
  }
}

}  // namespace logodds
