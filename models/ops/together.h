#pragma once

#include <functional>
#include <vector>

#include "core/tensor.h"

namespace logodds {

/// Does pieces of work that do not need each other's results. On a CPU they run side by side, each in one thread with
/// all operators inside it, so that their results do not depend on the number of threads; whoever is free takes the
/// next, so the longest should come first. Where `like` is on a GPU they are queued in their order.
void together(const Tensor& like, const std::vector<std::function<void()>>& pieces);

/// How many threads the caller may share work among: 1 where it is itself a piece of shared work.
int64_t free_threads();

}  // namespace logodds
