#pragma once

#include "core/tensor.h"

namespace logodds {

/// Whether so many of the features are 0 that a product with them need not meet those.
bool mostly_zero(const Tensor& features);

/// The inputs of the samples of a step: tokens [R,B,T] or features [R,B,F]. Features that are mostly 0 and that all
/// runs share can be read where they stand in the data set, so that no step copies them.
class Inputs {
 public:
  Inputs() = default;
  /// Not explicit: most inputs are a tensor.
  Inputs(Tensor inputs) : gathered_(std::move(inputs)) {}
  /// Rows [R,B] of features [N,F].
  Inputs(Tensor features_NF, Tensor rows_RB) : features_(std::move(features_NF)), rows_(std::move(rows_RB)) {}

  bool defined() const { return in_place() || gathered_.defined(); }
  bool in_place() const { return rows_.defined(); }
  int64_t runs() const { return in_place() ? rows_.size(0) : gathered_.size(0); }
  int64_t samples() const { return in_place() ? rows_.size(1) : gathered_.size(1); }
  int64_t width() const { return in_place() ? features_.size(1) : gathered_.size(2); }

  /// As a tensor [R,B,·]; what stands in a data set is copied once. Not for several threads at a time.
  const Tensor& tensor() const;

  /// A sample's features, where the inputs are `contiguous`.
  template <class T>
  const T* row(int64_t run, int64_t sample) const {
    const int64_t index = run * samples() + sample;
    return in_place() ? features_.const_data_ptr<T>() + rows_.const_data_ptr<int64_t>()[index] * width()
                      : gathered_.const_data_ptr<T>() + index * width();
  }

  Inputs of_runs(int64_t first, int64_t count) const;
  Inputs contiguous() const;

 private:
  mutable Tensor gathered_;
  Tensor features_, rows_;
};

}  // namespace logodds
