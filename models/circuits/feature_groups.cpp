#include "models/circuits/feature_groups.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "core/error.h"

namespace logodds {

namespace {

/// Which of `parts` equal parts each of `size` places falls into.
Tensor part_of(int64_t size, int64_t parts) { return (at::arange(size, at::kLong) * parts).div(size, "floor"); }

Tensor masks(const Tensor& group_F, int64_t groups) {
  return group_F.unsqueeze(0).eq(at::arange(groups, at::kLong).unsqueeze(1)).to(at::kDouble);
}

FeatureGroups runs_of_features(int64_t features, int64_t groups) {
  const Tensor group_F = part_of(features, groups);
  FeatureGroups result{{}, masks(group_F, groups)};
  for (int64_t g = 0; g < groups; ++g) {
    const Tensor members = group_F.eq(g).nonzero();
    const std::string first = std::to_string(members[0].item<int64_t>());
    result.labels.push_back(members.size(0) == 1 ? "feature " + first
                                                 : "features " + first + " to " +
                                                       std::to_string(members[members.size(0) - 1].item<int64_t>()));
  }
  return result;
}

}  // namespace

FeatureGroups feature_groups(const std::vector<int64_t>& image, int64_t features, int64_t rows, int64_t columns) {
  if (image.empty()) return runs_of_features(features, std::min(features, rows * columns));
  const int64_t channels = image[0], height = image[1], width = image[2];
  if (rows > height || columns > width) {
    throw Error(std::to_string(rows) + " × " + std::to_string(columns) + " patches are more than an image of " +
                std::to_string(height) + " × " + std::to_string(width) + " has");
  }
  const Tensor group_HW = part_of(height, rows).unsqueeze(1) * columns + part_of(width, columns).unsqueeze(0);
  FeatureGroups result{{}, masks(group_HW.flatten().repeat({channels}), rows * columns)};
  for (int64_t row = 1; row <= rows; ++row) {
    for (int64_t column = 1; column <= columns; ++column) {
      result.labels.push_back("patch " + std::to_string(row) + "." + std::to_string(column));
    }
  }
  return result;
}

}  // namespace logodds
