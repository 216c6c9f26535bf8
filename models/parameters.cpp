#include "models/parameters.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>

#include "core/error.h"
#include "core/seeds.h"
#include "core/text.h"

namespace logodds {

namespace {

constexpr int64_t kAlignment = 16;  // elements: 64 bytes of float32, one cache line

int64_t size_of(const ParameterSpec& spec) {
  int64_t size = 1;
  for (const int64_t extent : spec.shape) size *= extent;
  return size;
}

int64_t padded(int64_t size) { return (size + kAlignment - 1) / kAlignment * kAlignment; }

int64_t padded_length(const std::vector<ParameterSpec>& specs) {
  int64_t length = 0;
  for (const auto& spec : specs) length += padded(size_of(spec));
  return length;
}

std::vector<Tensor> views_of(const Tensor& flat, const std::vector<ParameterSpec>& specs) {
  std::vector<Tensor> views;
  int64_t offset = 0;
  for (const auto& spec : specs) {
    std::vector<int64_t> shape{flat.size(0)};
    shape.insert(shape.end(), spec.shape.begin(), spec.shape.end());
    views.push_back(flat.narrow(1, offset, size_of(spec)).view(shape).detach());
    offset += padded(size_of(spec));
  }
  return views;
}

}  // namespace

Parameters::Parameters(std::vector<ParameterSpec> specs, int64_t runs, const at::TensorOptions& options)
    : Parameters(specs, at::zeros({runs, padded_length(specs)}, options),
                 at::zeros({runs, padded_length(specs)}, options)) {}

Parameters::Parameters(std::vector<ParameterSpec> specs, Tensor flat, Tensor flat_gradient)
    : specs_(std::move(specs)), flat_(std::move(flat)), flat_gradient_(std::move(flat_gradient)) {
  views_ = views_of(flat_, specs_);
  gradients_ = views_of(flat_gradient_, specs_);
}

Parameters Parameters::part(int64_t first, int64_t count) const {
  return {specs_, flat_.narrow(0, first, count), flat_gradient_.narrow(0, first, count)};
}

int64_t Parameters::runs() const { return flat_.size(0); }

int64_t Parameters::count() const {
  int64_t count = 0;
  for (const auto& spec : specs_) count += size_of(spec);
  return count;
}

size_t Parameters::index_of(const std::string& name) const {
  std::vector<std::string> names;
  for (size_t i = 0; i < specs_.size(); ++i) {
    if (specs_[i].name == name) return i;
    names.push_back(specs_[i].name);
  }
  throw Error("the model has no parameter '" + name + "'" + suggestion(name, names));
}

void Parameters::set_requires_grad(bool requires_grad) {
  for (auto& view : views_) view.set_requires_grad(requires_grad);
}

void Parameters::initialise(const std::vector<int64_t>& seeds, const std::vector<double>& scales) {
  const at::NoGradGuard no_grad;
  for (size_t run = 0; run < seeds.size(); ++run) {
    for (size_t i = 0; i < specs_.size(); ++i) {
      auto generator = stream(seeds[run], "init " + specs_[i].name);
      // Drawn in float64 whatever the model's dtype, so that both dtypes start from the same weights.
      const Tensor draws = at::randn(specs_[i].shape, generator, at::TensorOptions().dtype(at::kDouble));
      views_[i].select(0, static_cast<int64_t>(run)).copy_(draws * (specs_[i].init_std * scales[run]));
    }
  }
}

NamedTensors Parameters::run(int64_t run) const {
  NamedTensors tensors;
  for (size_t i = 0; i < specs_.size(); ++i) {
    tensors.emplace(specs_[i].name, views_[i].detach().select(0, run).to(at::kCPU));
  }
  return tensors;
}

void Parameters::load(int64_t run, const NamedTensors& tensors, const std::string& source) {
  const at::NoGradGuard no_grad;
  std::vector<std::string> names;
  for (const auto& spec : specs_) names.push_back(spec.name);
  for (const auto& [name, tensor] : tensors) {
    if (std::ranges::count(names, name) == 0) {
      throw io_error(source + ": tensor '" + name + "' does not belong to this model" + suggestion(name, names));
    }
  }
  for (size_t i = 0; i < specs_.size(); ++i) {
    const auto found = tensors.find(specs_[i].name);
    if (found == tensors.end()) throw io_error(source + ": tensor '" + specs_[i].name + "' is missing");
    if (found->second.sizes() != at::IntArrayRef(specs_[i].shape)) {
      throw io_error(source + ": tensor '" + specs_[i].name + "' has shape " + c10::str(found->second.sizes()) +
                     ", the model needs " + c10::str(at::IntArrayRef(specs_[i].shape)));
    }
    views_[i].select(0, run).copy_(found->second);
  }
}

Parameters Parameters::select(int64_t run) const {
  Parameters one(specs_, 1, flat_.options());
  one.flat_.copy_(flat_.narrow(0, run, 1));
  return one;
}

Parameters Parameters::to(at::ScalarType dtype) const {
  Parameters other(specs_, runs(), flat_.options().dtype(dtype));
  other.flat_.copy_(flat_);
  return other;
}

}  // namespace logodds
