#include "models/ops/feature_layer.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>

namespace logodds {

namespace {

/// An entry of a group costs as much as a column of a whole matrix, and the whole matrix is not searched.
constexpr double kSparseShare = 0.8;

/// Asks for a row that is read soon: samples of a batch lie anywhere in the data set, too far away to be waited for.
template <class T>
void prefetch(const T* row, int64_t count) {
  constexpr int64_t kLine = 64 / sizeof(T);
  for (int64_t c = 0; c < count; c += kLine) __builtin_prefetch(row + c);
}

constexpr int64_t groups_of(int64_t rows) { return (rows + kGroup - 1) / kGroup; }

/// Whether whole vectors of each row can be read: that of the last row must end within the tensor's memory.
bool readable_as_it_is(const Tensor& x, int64_t lanes) {
  if (x.stride(-1) != 1) return false;
  int64_t end = x.storage_offset() + (x.size(-1) + lanes - 1) / lanes * lanes;
  for (int64_t d = 0; d + 1 < x.dim(); ++d) end += (x.size(d) - 1) * x.stride(d);
  return end * static_cast<int64_t>(x.element_size()) <= static_cast<int64_t>(x.storage().nbytes());
}

template <class T>
Tensor readable(const Tensor& x) {
  const int64_t lanes = sparse_kernels<T>().lanes, columns = x.size(-1);
  if (readable_as_it_is(x, lanes)) return x;
  return at::constant_pad_nd(x, {0, (columns + lanes - 1) / lanes * lanes - columns}).narrow(-1, 0, columns);
}

}  // namespace

template <class T>
Dense whole_vectors(const Dense& layer) {
  const Tensor b = layer.b_RO.defined() ? layer.b_RO : at::zeros_like(layer.W_RIO.select(1, 0));
  return {readable<T>(layer.W_RIO), readable<T>(b), {}};
}

template <class T>
ByFeatures<T>::ByFeatures(int64_t features, int64_t most)
    : features_(features),
      count_(static_cast<size_t>(groups_of(features))),
      sample_(std::make_unique_for_overwrite<int32_t[]>(static_cast<size_t>(groups_of(features) * most))),
      value_(std::make_unique_for_overwrite<T[]>(static_cast<size_t>(groups_of(features) * most * kGroup))) {
  for (int64_t group = 0; group < groups_of(features); ++group) begin_.push_back(group * most);
}

template <class T>
void ByFeatures<T>::clear() {
  samples_ = 0;
  std::ranges::fill(count_, 0);
}

template <class T>
void ByFeatures<T>::add(const T* row) {
  sparse_kernels<T>().add_column(row, features_, samples_++, begin_.data(), count_.data(), sample_.get(), value_.get());
}

template <class T>
void put_weight_gradient(const Inputs& inputs, int64_t run, int64_t first_feature, int64_t features, const T* gradient,
                         int64_t stride, int64_t columns, T* rows, int64_t rows_stride) {
  constexpr int64_t kAtOnce = 256;  // samples
  const std::vector<T> zeros(static_cast<size_t>(columns + sparse_kernels<T>().lanes));
  ByFeatures<T> entries(features, std::min(kAtOnce, inputs.samples()));
  for (int64_t first = 0; first < inputs.samples(); first += kAtOnce) {
    entries.clear();
    for (int64_t b = first; b < std::min(first + kAtOnce, inputs.samples()); ++b) {
      if (b + 2 < inputs.samples()) prefetch(inputs.row<T>(run, b + 2) + first_feature, features);
      entries.add(inputs.row<T>(run, b) + first_feature);
    }
    sparse_kernels<T>().multiply(entries.groups(), columns, gradient + first * stride, stride,
                                 first == 0 ? zeros.data() : nullptr, /*relu=*/false, rows, rows_stride);
  }
}

template <class T>
FeatureLayer<T>::FeatureLayer(const Dense& layer, const Inputs& inputs)
    : W_RIO_(layer.W_RIO),
      b_RO_(layer.b_RO),
      inputs_(inputs),
      features_(inputs.width()),
      zeros_(static_cast<size_t>(std::max(features_, W_RIO_.size(2)) + sparse_kernels<T>().lanes)),
      begin_(groups_of(kTileSamples)),
      entries_(groups_of(kTileSamples)) {
  const auto most = static_cast<size_t>(groups_of(kTileSamples) * features_);
  feature_ = std::make_unique_for_overwrite<int32_t[]>(most);
  value_ = std::make_unique_for_overwrite<T[]>(most * kGroup);
}

template <class T>
void FeatureLayer<T>::use_run(int64_t run) {
  run_ = run;
  packed_run_ = false;
}

template <class T>
const T* FeatureLayer<T>::rows() {
  if (!inputs_.in_place()) return inputs_.row<T>(run_, first_);
  if (!rows_) rows_ = std::make_unique_for_overwrite<T[]>(static_cast<size_t>(features_ * kTileSamples));
  for (int64_t b = 0; b < count_; ++b) {
    std::copy_n(inputs_.row<T>(run_, first_ + b), features_, rows_.get() + b * features_);
  }
  return rows_.get();
}

template <class T>
bool FeatureLayer<T>::find_entries() {
  const auto most = static_cast<int64_t>(kSparseShare * static_cast<double>(groups_of(count_) * features_));
  int64_t entries = 0;
  for (int64_t group = 0; group < groups_of(count_) && entries <= most; ++group) {
    std::array<const T*, kGroup> rows;
    for (int64_t r = 0; r < kGroup; ++r) {
      const int64_t b = group * kGroup + r;
      rows[static_cast<size_t>(r)] = b < count_ ? inputs_.row<T>(run_, first_ + b) : zeros_.data();
      if (b + kGroup < count_) prefetch(inputs_.row<T>(run_, first_ + b + kGroup), features_);
    }
    const auto g = static_cast<size_t>(group);
    begin_[g] = entries;
    entries_[g] = sparse_kernels<T>().find_entries(rows.data(), features_, feature_.get() + entries,
                                                   value_.get() + entries * kGroup);
    entries += entries_[g];
  }
  return entries <= most;
}

template <class T>
void FeatureLayer<T>::pack() {
  const auto& kernels = tile_kernels<T>();
  const int64_t out = W_RIO_.size(2);
  packed_ = std::make_unique_for_overwrite<T[]>(static_cast<size_t>(kernels.packed_size(features_, out)));
  kernels.pack(weights(), features_, out, W_RIO_.stride(1), 1, packed_.get());
  packed_run_ = true;
}

template <class T>
void FeatureLayer<T>::forward(int64_t first, int64_t count, T* to, int64_t stride) {
  first_ = first;
  count_ = count;
  sparse_ = find_entries();
  const int64_t out = W_RIO_.size(2);
  const T* bias = b_RO_.const_data_ptr<T>() + run_ * b_RO_.stride(0);
  if (sparse_) {
    const RowGroups<T> x{count, begin_.data(), entries_.data(), feature_.get(), value_.get()};
    sparse_kernels<T>().multiply(x, out, weights(), W_RIO_.stride(1), bias, /*relu=*/true, to, stride);
    return;
  }
  if (!packed_run_) pack();
  for (int64_t b = 0; b < count; ++b) std::copy_n(bias, out, to + b * stride);
  tile_kernels<T>().multiply(count, out, features_, rows(), features_, packed_.get(), to, stride,
                             {.accumulate = true, .relu = true});
}

template <class T>
void FeatureLayer<T>::weight_gradient(const T* gradient, int64_t stride, T* weights, int64_t columns, bool add) {
  const int64_t out = W_RIO_.size(2);
  if (!sparse_) {
    tile_kernels<T>().multiply_transposed(features_, out, count_, rows(), features_, gradient, stride, weights, columns,
                                          add);
    return;
  }
  if (!by_features_) by_features_ = std::make_unique<ByFeatures<T>>(features_, kTileSamples);
  by_features_->clear();
  for (int64_t b = 0; b < count_; ++b) by_features_->add(inputs_.row<T>(run_, first_ + b));
  sparse_kernels<T>().multiply(by_features_->groups(), out, gradient, stride, add ? nullptr : zeros_.data(),
                               /*relu=*/false, weights, columns);
}

template Dense whole_vectors<float>(const Dense& layer);
template Dense whole_vectors<double>(const Dense& layer);
template class ByFeatures<float>;
template class ByFeatures<double>;
template void put_weight_gradient(const Inputs&, int64_t, int64_t, int64_t, const float*, int64_t, int64_t, float*,
                                  int64_t);
template void put_weight_gradient(const Inputs&, int64_t, int64_t, int64_t, const double*, int64_t, int64_t, double*,
                                  int64_t);
template class FeatureLayer<float>;
template class FeatureLayer<double>;

}  // namespace logodds
