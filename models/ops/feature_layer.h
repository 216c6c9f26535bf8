#pragma once

#include <memory>
#include <vector>

#include "core/tensor.h"
#include "models/ops/folded.h"
#include "models/ops/sparse_kernel.h"
#include "models/ops/tile_kernel.h"

namespace logodds {

/// The layer as FeatureLayer takes it: columns for whole vectors, and a bias.
template <class T>
Dense whole_vectors(const Dense& layer);

/// The first layer of a network of features, x W + b, tile by tile (models/ops/tile_step.h). A tile whose features are
/// mostly 0 is multiplied entry by entry, another as a whole.
template <class T>
class FeatureLayer {
 public:
  /// A layer of `whole_vectors`; inputs [R,B,F], contiguous.
  FeatureLayer(const Dense& layer, const Tensor& inputs_RBF);

  void use_run(int64_t run);

  /// max(x W + b, 0) of samples first … first+count-1 into rows of `to`.
  void forward(int64_t first, int64_t count, T* to, int64_t stride);

  /// xᵀ g for the samples of the last `forward`: the gradient of W, rows of `columns` aligned, or added to it.
  void weight_gradient(const T* gradient, int64_t stride, T* weights, int64_t columns, bool add);

 private:
  void gather();     ///< the entries of this tile, as long as they are few
  void transpose();  ///< the same by features
  void pack();

  Tensor W_RIO_, b_RO_, inputs_;
  int64_t run_ = 0, first_ = 0, count_ = 0;
  bool sparse_ = false, packed_run_ = false;
  std::vector<T> zeros_;  ///< where a weight's gradient starts
  std::vector<int64_t> sample_first_, feature_first_, next_;
  // Room for every entry of a tile, of which only what is used is touched.
  std::unique_ptr<SparseColumn<T>[]> feature_, sample_;
  std::unique_ptr<T[]> by_sample_, by_feature_, packed_;
};

}  // namespace logodds
