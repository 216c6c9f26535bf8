#pragma once

#include <cstddef>

namespace logodds {

/// Begins to count what is allocated on the heap, by whatever library.
void watch_heap();

/// The most bytes that were in use at once since then, beyond those in use then.
size_t heap_peak();

}  // namespace logodds
