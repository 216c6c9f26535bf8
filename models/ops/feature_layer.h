#pragma once

#include <memory>
#include <vector>

#include "core/tensor.h"
#include "models/ops/folded.h"
#include "models/ops/inputs.h"
#include "models/ops/sparse_kernel.h"
#include "models/ops/tile_kernel.h"

namespace logodds {

/// The layer as FeatureLayer takes it: with a bias, and rows of which whole vectors can be read.
template <class T>
Dense whole_vectors(const Dense& layer);

/// The entries of up to `most` samples by groups of neighbouring features: the transposed matrix, without its zeros.
template <class T>
class ByFeatures {
 public:
  ByFeatures(int64_t features, int64_t most);
  void clear();
  void add(const T* row);  ///< the next sample's
  RowGroups<T> groups() const { return {features_, begin_.data(), count_.data(), sample_.get(), value_.get()}; }

 private:
  int64_t features_;
  int32_t samples_ = 0;
  std::vector<int64_t> begin_, count_;
  std::unique_ptr<int32_t[]> sample_;  ///< room for all, of which only what is used is touched
  std::unique_ptr<T[]> value_;
};

/// xᵀ g of one run's samples for features first_feature … first_feature+features-1, with g [B, columns]: those rows of
/// the gradient of W. The samples are summed in their order.
template <class T>
void put_weight_gradient(const Inputs& inputs, int64_t run, int64_t first_feature, int64_t features, const T* gradient,
                         int64_t stride, int64_t columns, T* rows, int64_t rows_stride);

/// The first layer of a network of features, x W + b, tile by tile (models/ops/tile_step.h). A tile whose features are
/// mostly 0 is multiplied entry by entry, another as a whole.
template <class T>
class FeatureLayer {
 public:
  /// A layer of `whole_vectors`; inputs contiguous, and kept by the caller.
  FeatureLayer(const Dense& layer, const Inputs& inputs);

  void use_run(int64_t run);

  /// max(x W + b, 0) of samples first … first+count-1 into rows of `to`.
  void forward(int64_t first, int64_t count, T* to, int64_t stride);

  /// xᵀ g for the samples of the last `forward`: the gradient of W, rows of `columns` aligned, or added to it.
  void weight_gradient(const T* gradient, int64_t stride, T* weights, int64_t columns, bool add);

 private:
  const T* weights() const { return W_RIO_.const_data_ptr<T>() + run_ * W_RIO_.stride(0); }
  const T* rows();      ///< of this tile, one after the other
  bool find_entries();  ///< of this tile; false where they are too many
  void pack();

  Tensor W_RIO_, b_RO_;
  const Inputs& inputs_;
  int64_t features_, run_ = 0, first_ = 0, count_ = 0;
  bool sparse_ = false, packed_run_ = false;
  std::vector<T> zeros_;  ///< a sample that is not there; and where a weight's gradient starts
  std::vector<int64_t> begin_, entries_;
  std::unique_ptr<int32_t[]> feature_;
  std::unique_ptr<ByFeatures<T>> by_features_;
  std::unique_ptr<T[]> value_, rows_, packed_;
};

}  // namespace logodds
