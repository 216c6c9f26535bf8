#pragma once

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "core/seeds.h"
#include "models/model.h"
#include "models/ops/tile_step.h"

namespace logodds {

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

/// Gradients of Σ weights · logits with respect to every weight, by autograd.
template <class Logits>
std::vector<Tensor> autograd_gradients(Parameters& parameters, const Tensor& weights, const Logits& logits) {
  parameters.set_requires_grad(true);
  const auto gradients = torch::autograd::grad({logits()}, parameters.views(), {weights});
  parameters.set_requires_grad(false);
  return gradients;
}

/// Through the definition.
inline std::vector<Tensor> trace_gradients(const Model& model, Parameters& parameters, const Tensor& inputs,
                                           const Tensor& weights) {
  return autograd_gradients(parameters, weights, [&] { return model.trace(parameters, inputs, untapped); });
}

/// The same by the folded form: autograd through its per-sample part, then its own transpose.
inline std::vector<Tensor> folded_gradients(const Model& model, Parameters& parameters, const Tensor& inputs,
                                            const Tensor& weights) {
  auto folded = model.fold(parameters, inputs, /*gauge=*/false);
  folded->change_tensors([](Tensor& tensor) { tensor = tensor.detach().requires_grad_(true); });
  folded->pull_back(torch::autograd::grad({logits_of(*folded, inputs)}, folded->tensors(), {weights}), parameters);
  return parameters.gradients();
}

/// The same by the tile step. The weights of a sample sum to 0, for the tile step may add a constant to its logits.
inline std::vector<Tensor> tile_step_gradients(const Model& model, Parameters& parameters, const Inputs& inputs,
                                               const Tensor& weights) {
  const int64_t R = inputs.runs(), B = inputs.samples(), V = weights.size(2);
  const auto folded = model.fold(parameters, inputs, /*gauge=*/true);
  // The "loss" puts the given weights in the place of the logits; its targets number the samples.
  const auto put = [&](double* logits, int64_t stride, const int64_t* samples, int64_t rows, double* losses) {
    for (int64_t row = 0; row < rows; ++row) {
      std::copy_n(weights.const_data_ptr<double>() + samples[row] * V, V, logits + row * stride);
      losses[row] = 0;
    }
  };
  const Tensor samples = at::arange(R * B, at::kLong).view({R, B});
  folded->pull_back(tile_gradients(*folded, inputs, samples, V, {.of_float = {}, .of_double = put}).gradients,
                    parameters);
  return parameters.gradients();
}

/// float64, relative to the largest entry of each tensor.
inline void expect_same_gradients(const Parameters& parameters, const std::vector<Tensor>& expected,
                                  const std::vector<Tensor>& actual, const std::string& what) {
  for (size_t i = 0; i < expected.size(); ++i) {
    const double size = expected[i].abs().max().item<double>();
    EXPECT_LT((expected[i] - actual[i]).abs().max().item<double>(), 1e-11 * std::max(size, 1.0))
        << what << ": gradient of " << parameters.specs()[i].name;
  }
}

/// The fast forms are the same function as `trace`, and so are their gradients.
inline void expect_fast_forms_equal_trace(const Model& model, Parameters& parameters, const Tensor& inputs,
                                          const std::string& what) {
  const Tensor plain = model.trace(parameters, inputs, untapped), fast = model.logits(parameters, inputs);
  ASSERT_EQ(plain.sizes(), fast.sizes()) << what;
  EXPECT_LT((plain - fast).abs().max().item<double>(), 1e-11 * plain.abs().max().item<double>()) << what;
  auto generator = stream(3, "output weights");
  const Tensor draws = at::randn(plain.sizes(), generator, at::kDouble), weights = draws - draws.mean(-1, true);
  const auto expected = trace_gradients(model, parameters, inputs, weights);
  const auto untraced = autograd_gradients(parameters, weights, [&] { return model.untraced(parameters, inputs); });
  expect_same_gradients(parameters, expected, untraced, what + ", untraced");
  const auto folded = model.fold(parameters, inputs, /*gauge=*/false);
  if (!folded) return;
  expect_same_gradients(parameters, expected, folded_gradients(model, parameters, inputs, weights), what + ", folded");
  if (!tile_step_takes(*folded)) return;
  const int threads = at::get_num_threads();
  for (const int count : {1, 3}) {
    at::set_num_threads(count);
    expect_same_gradients(parameters, expected, tile_step_gradients(model, parameters, inputs, weights),
                          what + ", tiles of " + std::to_string(count) + " threads");
  }
  at::set_num_threads(threads);
}

inline void expect_fast_forms_equal_trace(const Model& model, int64_t runs, int64_t p, const std::string& what) {
  Parameters parameters = random_parameters(model, runs);
  expect_fast_forms_equal_trace(model, parameters, random_inputs(runs, 150, p), what);
}

/// Gradients of Σ weights · logits through `trace` against central differences, at a few entries of every tensor.
inline void expect_gradients_equal_differences(const Model& model, int64_t p) {
  Parameters parameters = random_parameters(model, 1);
  const Tensor inputs = random_inputs(1, 12, p);
  auto generator = stream(3, "output weights");
  const Tensor weights = at::randn({1, 12, model.classes()}, generator, at::kDouble);
  const auto gradients = trace_gradients(model, parameters, inputs, weights);
  const auto value = [&] { return (model.trace(parameters, inputs, untapped) * weights).sum().item<double>(); };
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
