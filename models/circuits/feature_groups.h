#pragma once

#include <string>
#include <vector>

#include "core/tensor.h"

namespace logodds {

/// A partition of an input's features, for decompositions that ask which of them speak.
struct FeatureGroups {
  std::vector<std::string> labels;
  Tensor mask_GF;  ///< 1 where the feature belongs to the group, else 0, float64
};

/// Patches of an image (channels, height, width; every channel in each patch), "patch 2.3" being the second row's
/// third; of features that are no image (`image` empty) rows × columns runs of neighbours, or each by itself where they
/// are fewer. Throws Error for more rows or columns than the image has.
FeatureGroups feature_groups(const std::vector<int64_t>& image, int64_t features, int64_t rows, int64_t columns);

}  // namespace logodds
