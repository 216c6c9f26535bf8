#include "experiments/report/figure.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <set>

namespace logodds {

namespace {

constexpr size_t kStretches = 150;

/// Where stretches of n points begin: even ones, and such as are even on a logarithmic axis.
std::set<size_t> stretches(size_t n) {
  std::set<size_t> begins{0, n};
  for (size_t i = 1; i < kStretches; ++i) {
    begins.insert(i * n / kStretches);
    begins.insert(static_cast<size_t>(std::pow(static_cast<double>(n), static_cast<double>(i) / kStretches)));
  }
  return begins;
}

}  // namespace

Points thinned(const Points& points) {
  if (points.size() <= 4 * kStretches) return points;
  const auto begins = stretches(points.size());
  Points kept;
  for (auto begin = begins.begin(); std::next(begin) != begins.end(); ++begin) {
    const size_t first = *begin, last = *std::next(begin);
    size_t low = first, high = first;
    for (size_t i = first; i < last; ++i) {
      if (std::isnan(points[i].second)) continue;
      if (!(points[i].second >= points[low].second)) low = i;
      if (!(points[i].second <= points[high].second)) high = i;
    }
    kept.push_back(points[std::min(low, high)]);
    if (low != high) kept.push_back(points[std::max(low, high)]);
  }
  if (kept.back() != points.back()) kept.push_back(points.back());
  return kept;
}

Row drawn(double value) {
  if (!std::isfinite(value)) return nullptr;
  return std::strtod(fmt::format("{:.6g}", value).c_str(), nullptr);
}

Row line(const Look& look, const Points& points) {
  Row x = Row::array(), y = Row::array();
  for (const auto& [at, value] : points) {
    x.push_back(at);
    y.push_back(drawn(value));
  }
  return {{"kind", "line"},
          {"name", look.name},
          {"about", look.about},
          {"colour", look.colour},
          {"style", look.style},
          {"when", look.when},
          {"x", x},
          {"y", y}};
}

Row control(const std::string& name, const std::vector<std::string>& options, bool slider) {
  return {{"name", name}, {"options", options}, {"slider", slider}};
}

Row step_panel(const std::string& y, bool log_y, Row series) {
  return {{"x", "step"}, {"y", y}, {"log_y", log_y}, {"series", std::move(series)}};
}

}  // namespace logodds
