#include "models/ops/together.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <atomic>

namespace logodds {

void together(const Tensor& like, const std::vector<std::function<void()>>& pieces) {
  if (!like.is_cpu()) {
    for (const auto& piece : pieces) piece();
    return;
  }
  const auto count = static_cast<int64_t>(pieces.size());
  const bool with_gradient = at::GradMode::is_enabled();  // every thread has its own such state
  std::atomic<size_t> next{0};
  at::parallel_for(0, std::min(free_threads(), count), 1, [&](int64_t, int64_t) {
    const at::AutoGradMode mode(with_gradient);
    for (size_t i = next++; i < pieces.size(); i = next++) pieces[i]();
  });
}

int64_t free_threads() { return at::in_parallel_region() ? 1 : at::get_num_threads(); }

}  // namespace logodds
