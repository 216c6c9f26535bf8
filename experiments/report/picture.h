#pragma once

#include <string>

#include "core/metrics.h"

namespace logodds {

/// What experiments/picture.h made, for a terminal: two pixels, one above the other, per character. In colour the digit
/// is grey and each patch tinted by its evidence, green for the right answer, red for the runner-up; without colour the
/// pixels are shades of characters. Below it the patches' evidence in nats, laid out as they lie in the image.
std::string picture_text(const Row& picture, bool colour);

}  // namespace logodds
