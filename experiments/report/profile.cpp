#include "experiments/report/profile.h"

#include <c10/core/impl/VirtualGuardImpl.h>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <numeric>

#include "experiments/report/table.h"

namespace logodds {

Profile::Profile(at::Device device, Clock clock) : device_(device), clock_(std::move(clock)), last_(clock_()) {}

void Profile::spent(std::string_view part) {
  if (!device_.is_cpu()) {
    const c10::impl::VirtualGuardImpl device(device_.type());
    device.synchronizeDevice(device.getDevice().index());
  }
  const auto now = clock_();
  auto at = std::ranges::find(parts_, part, &Part::name);
  if (at == parts_.end()) at = parts_.insert(at, {.name = std::string(part)});
  at->seconds += std::chrono::duration<double>(now - last_).count();
  ++at->count;
  last_ = now;
}

std::string Profile::text(int64_t steps) const {
  std::vector<Part> parts = parts_;
  std::ranges::stable_sort(parts, std::greater<>(), &Part::seconds);
  const double all =
      std::accumulate(parts.begin(), parts.end(), 0.0, [](double sum, const Part& part) { return sum + part.seconds; });
  const auto ms = [](double seconds, int64_t count) {
    return count == 0 ? std::string("–") : fmt::format("{:.3f}", 1000 * seconds / static_cast<double>(count));
  };
  Table table({fmt::format("{} steps", steps), "ms per step", "share", "times", "ms each"});
  for (const auto& part : parts) {
    table.add({part.name, ms(part.seconds, steps), all > 0 ? percent(part.seconds / all) : "–",
               std::to_string(part.count), ms(part.seconds, part.count)});
  }
  table.rule();
  table.add({"all", ms(all, steps), all > 0 ? percent(1) : "–", "", ""});
  return table.text();
}

}  // namespace logodds
