#pragma once

#include <optional>

#include "experiments/inspection.h"

namespace logodds {

/// Example number `index` of a subject as an image with the evidence of its patches, by exact Shapley values
/// (models/circuits/patch_shapley.h) of `patches`, or of 3 × 3 patches where that is another decomposition:
///   "height", "width", "pixels" (rows of values 0 to 1, channels averaged),
///   "patches": rows of nats for the right answer against the runner-up, and "background"
/// Nothing for inputs that are no image.
std::optional<Row> picture(const Subject& subject, int64_t index, const Selection& patches);

}  // namespace logodds
