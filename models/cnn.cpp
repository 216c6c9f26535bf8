#include "models/cnn.h"

#include <ATen/ATen.h>

#include <cmath>

#include "core/error.h"
#include "models/activation.h"
#include "models/ops/batched.h"

namespace logodds {

void Cnn::Options::fields(Fields& fields) {
  fields.integers({"channels", "of each convolution, at least one"}, channels, at_least(1));
  fields.integer({"kernel", "height and width of the convolutions"}, kernel, at_least(1));
  fields.integer({"pool", "height and width of what is pooled after each; 1: nothing"}, pool, at_least(1));
  fields.choice({"activation", "after each convolution"}, activation, activation_names());
  fields.flag({"bias", "biases in the convolutions and the unembedding"}, bias);
  fields.per_run({"init_scale", "factor on all initial weights"}, init_scale, at_least(0));
}

namespace {

std::string layer_name(size_t layer, const char* name) { return "blocks." + std::to_string(layer) + ".conv." + name; }

int64_t product(const std::vector<int64_t>& extents) {
  int64_t total = 1;
  for (const int64_t extent : extents) total *= extent;
  return total;
}

}  // namespace

Cnn::Cnn(const Options& options, const InputShape& shape) : options_(options), shape_(shape) {
  if (shape_.image.size() != 3) throw Error("it reads images, and the inputs of this task are none; take 'mlp'");
  if (options_.channels.empty()) throw Error("'channels' must list at least one convolution");
  for (size_t layer = 1; layer <= options_.channels.size(); ++layer) {
    const auto left = shape_after(layer);
    if (left[1] < 1 || left[2] < 1) {
      throw Error("nothing of an image of " + std::to_string(shape_.image[1]) + " × " +
                  std::to_string(shape_.image[2]) + " is left after convolution " + std::to_string(layer) +
                  "; take fewer channels, a smaller 'kernel' or a smaller 'pool'");
    }
  }
}

std::vector<int64_t> Cnn::shape_after(size_t layers) const {
  auto shape = shape_.image;
  for (size_t layer = 0; layer < layers; ++layer) {
    shape[0] = options_.channels[layer];
    for (size_t side : {1, 2}) shape[side] = std::max<int64_t>(0, shape[side] - options_.kernel + 1) / options_.pool;
  }
  return shape;
}

std::vector<ParameterSpec> Cnn::specs() const {
  std::vector<ParameterSpec> specs;
  int64_t channels = shape_.image[0];
  for (size_t layer = 0; layer < options_.channels.size(); ++layer) {
    const int64_t fan_in = channels * options_.kernel * options_.kernel;
    specs.push_back({layer_name(layer, "W_conv"),
                     {options_.channels[layer], channels, options_.kernel, options_.kernel},
                     1 / std::sqrt(static_cast<double>(fan_in))});
    channels = options_.channels[layer];
    if (options_.bias) specs.push_back({layer_name(layer, "b_conv"), {channels}});
  }
  const int64_t units = product(shape_after(options_.channels.size()));
  specs.push_back({"unembed.W_U", {units, shape_.outputs()}, 1 / std::sqrt(static_cast<double>(units))});
  if (options_.bias) specs.push_back({"unembed.b_U", {shape_.outputs()}});
  return specs;
}

Tensor Cnn::trace(const Parameters& parameters, const Tensor& inputs_RBF, const Tap& tap) const {
  const int64_t R = inputs_RBF.size(0), B = inputs_RBF.size(1);
  const auto bias = [&](const std::string& name) { return options_.bias ? parameters[name] : Tensor(); };
  // The runs side by side are channels, and a convolution in R groups keeps them apart.
  Tensor x = inputs_RBF.transpose(0, 1).reshape({B, R * shape_.image[0], shape_.image[1], shape_.image[2]});
  const auto tapped = [&](const std::string& name, const Tensor& of_runs) {
    const int64_t C = of_runs.size(1) / R, H = of_runs.size(2), W = of_runs.size(3);
    return tap(name, of_runs.view({B, R, C, H, W}).transpose(0, 1)).transpose(0, 1).reshape(of_runs.sizes());
  };
  for (size_t layer = 0; layer < options_.channels.size(); ++layer) {
    const Tensor b = bias(layer_name(layer, "b_conv"));
    const Tensor W = parameters[layer_name(layer, "W_conv")].flatten(0, 1);
    const std::vector<int64_t> once{1, 1}, none{0, 0};
    x = at::conv2d(x, W, b.defined() ? b.flatten() : b, at::IntArrayRef(once), at::IntArrayRef(none),
                   at::IntArrayRef(once), R);
    if (options_.pool > 1) x = at::max_pool2d(x, {options_.pool, options_.pool});
    x = activate(options_.activation, tapped(layer_name(layer, "hook_pre"), x));
    x = tapped(layer_name(layer, "hook_post"), x);
  }
  const Tensor units_RBM = x.view({B, R, -1}).transpose(0, 1);
  return class_logits(linear_per_run(units_RBM, parameters["unembed.W_U"], bias("unembed.b_U")), shape_.single_logit);
}

LogitPaths Cnn::paths(const Parameters& one, const Tensor& inputs_BF) const {
  const size_t last = options_.channels.size() - 1;
  std::vector<Tensor> pre, post;
  trace_in_batches(*this, one, inputs_BF, [&](const std::string& name, const Tensor& x) {
    if (name == layer_name(last, "hook_pre")) pre.push_back(x.flatten(1));
    if (name == layer_name(last, "hook_post")) post.push_back(x.flatten(1));
  });
  const auto columns = [&](const char* name) { return class_logits(one[name].detach(), shape_.single_logit); };
  const Tensor W_U = columns("unembed.W_U")[0];
  LogitPaths result{
      .paths = {{std::to_string(last) + "_conv_out", false, at::cat(post), W_U}}, .neurons = 0, .pre_BM = at::cat(pre)};
  if (options_.bias) result.paths.push_back({"bias", true, at::ones({1, 1}, W_U.options()), columns("unembed.b_U")});
  return result;
}

}  // namespace logodds
