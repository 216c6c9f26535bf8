#include "models/ops/feature_layer.h"

#include <ATen/ATen.h>

#include <algorithm>

namespace logodds {

namespace {

/// An entry costs twice as much alone as in a whole matrix, measured with 784 features and 200 columns.
constexpr double kSparseShare = 0.4;

/// Rows of whole vectors; the columns that are added hold whatever was there.
template <class T>
Tensor full_vectors(const Tensor& x) {
  const int64_t lanes = sparse_kernels<T>().lanes, columns = x.size(-1), rest = columns % lanes;
  if (rest == 0) return x.contiguous();
  auto sizes = x.sizes().vec();
  sizes.back() = columns + lanes - rest;
  const Tensor padded = at::empty(sizes, x.options());
  padded.narrow(-1, 0, columns).copy_(x);
  return padded;
}

}  // namespace

template <class T>
Dense whole_vectors(const Dense& layer) {
  return {full_vectors<T>(layer.W_RIO),
          full_vectors<T>(layer.b_RO.defined() ? layer.b_RO : at::zeros_like(layer.W_RIO.select(1, 0)))};
}

template <class T>
FeatureLayer<T>::FeatureLayer(const Dense& layer, const Tensor& inputs_RBF)
    : W_RIO_(layer.W_RIO), b_RO_(layer.b_RO), inputs_(inputs_RBF), zeros_(static_cast<size_t>(layer.W_RIO.size(2))) {
  const auto features = static_cast<size_t>(inputs_.size(2)), lanes = static_cast<size_t>(sparse_kernels<T>().lanes),
             most = features * kTileSamples + lanes;
  sample_first_.resize(kTileSamples + 1);
  feature_first_.resize(features + 1);
  for (auto* numbers : {&feature_, &sample_}) *numbers = std::make_unique_for_overwrite<SparseColumn<T>[]>(most);
  for (auto* values : {&by_sample_, &by_feature_}) *values = std::make_unique_for_overwrite<T[]>(most);
}

template <class T>
void FeatureLayer<T>::use_run(int64_t run) {
  run_ = run;
  packed_run_ = false;
}

template <class T>
void FeatureLayer<T>::gather() {
  const int64_t features = inputs_.size(2);
  const T* x = inputs_.const_data_ptr<T>() + run_ * inputs_.stride(0) + first_ * features;
  const auto most = static_cast<int64_t>(kSparseShare * static_cast<double>(count_ * features));
  int64_t entries = 0;
  for (int64_t b = 0; b < count_ && entries <= most; ++b) {
    entries +=
        sparse_kernels<T>().gather(x + b * features, features, feature_.get() + entries, by_sample_.get() + entries);
    sample_first_[static_cast<size_t>(b + 1)] = entries;
  }
  sparse_ = entries <= most;
}

template <class T>
void FeatureLayer<T>::transpose() {
  std::ranges::fill(feature_first_, 0);
  const int64_t entries = sample_first_[static_cast<size_t>(count_)];
  for (int64_t k = 0; k < entries; ++k) ++feature_first_[static_cast<size_t>(feature_[static_cast<size_t>(k)]) + 1];
  for (size_t f = 1; f < feature_first_.size(); ++f) feature_first_[f] += feature_first_[f - 1];
  next_.assign(feature_first_.begin(), feature_first_.end() - 1);
  for (int64_t b = 0; b < count_; ++b) {
    for (int64_t k = sample_first_[static_cast<size_t>(b)]; k < sample_first_[static_cast<size_t>(b + 1)]; ++k) {
      const auto entry = static_cast<size_t>(k);
      const auto to = static_cast<size_t>(next_[static_cast<size_t>(feature_[entry])]++);
      sample_[to] = static_cast<SparseColumn<T>>(b);
      by_feature_[to] = by_sample_[entry];
    }
  }
}

template <class T>
void FeatureLayer<T>::pack() {
  const auto& kernels = tile_kernels<T>();
  const int64_t in = W_RIO_.size(1), out = W_RIO_.size(2);
  packed_ = std::make_unique_for_overwrite<T[]>(static_cast<size_t>(kernels.packed_size(in, out)));
  kernels.pack(W_RIO_.const_data_ptr<T>() + run_ * W_RIO_.stride(0), in, out, out, 1, packed_.get());
  packed_run_ = true;
}

template <class T>
void FeatureLayer<T>::forward(int64_t first, int64_t count, T* to, int64_t stride) {
  first_ = first;
  count_ = count;
  gather();
  const int64_t in = W_RIO_.size(1), out = W_RIO_.size(2);
  const T* bias = b_RO_.const_data_ptr<T>() + run_ * out;
  if (sparse_) {
    const SparseRows<T> x{count, sample_first_.data(), feature_.get(), by_sample_.get()};
    sparse_kernels<T>().multiply(x, out, W_RIO_.const_data_ptr<T>() + run_ * in * out, in, out, bias, /*relu=*/true, to,
                                 stride);
    return;
  }
  if (!packed_run_) pack();
  for (int64_t b = 0; b < count; ++b) std::copy_n(bias, out, to + b * stride);
  const T* x = inputs_.const_data_ptr<T>() + run_ * inputs_.stride(0) + first * in;
  tile_kernels<T>().multiply(count, out, in, x, in, packed_.get(), to, stride, {.accumulate = true, .relu = true});
}

template <class T>
void FeatureLayer<T>::weight_gradient(const T* gradient, int64_t stride, T* weights, int64_t columns, bool add) {
  const int64_t in = W_RIO_.size(1), out = W_RIO_.size(2);
  if (sparse_) {
    transpose();
    const SparseRows<T> x{in, feature_first_.data(), sample_.get(), by_feature_.get()};
    sparse_kernels<T>().multiply(x, out, gradient, count_, stride, add ? nullptr : zeros_.data(), /*relu=*/false,
                                 weights, columns);
    return;
  }
  const T* x = inputs_.const_data_ptr<T>() + run_ * inputs_.stride(0) + first_ * in;
  tile_kernels<T>().multiply_transposed(in, out, count_, x, in, gradient, stride, weights, columns, add);
}

template Dense whole_vectors<float>(const Dense& layer);
template Dense whole_vectors<double>(const Dense& layer);
template class FeatureLayer<float>;
template class FeatureLayer<double>;

}  // namespace logodds
