#pragma once

#include <ATen/core/Generator.h>

#include "core/tensor.h"

namespace logodds {

/// A partition of weighted points into k clusters.
struct Clusters {
  Tensor member_N;   ///< number of the cluster of each point, 0 … k-1
  Tensor centre_KD;  ///< weighted means
  double spread;     ///< Σ weight · squared distance to the own centre
};

/// k-means: the partition with the least spread of 10 starts, each drawn as k-means++ does and improved until nothing
/// changes. points [N,D] with weights [N] > 0, float64, 1 ≤ k ≤ N.
Clusters k_means(const Tensor& points_ND, const Tensor& weights_N, int64_t k, at::Generator& generator);

/// Mean silhouette of a partition, weighted: (b - a) / max(a, b), a a point's mean distance to its own cluster's other
/// points, b that to the nearest other cluster; 0 for a point that is alone. Higher is better separated.
double silhouette(const Tensor& points_ND, const Tensor& weights_N, const Clusters& clusters);

}  // namespace logodds
