#include "experiments/report/plot.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "experiments/report/table.h"

namespace logodds {

namespace {

constexpr int kWidth = 64;
constexpr int kHeight = 12;
constexpr const char* kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

struct Extent {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();
  void include(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  int cell(double value, int cells) const {
    if (high <= low) return 0;
    return static_cast<int>(std::lround((value - low) / (high - low) * (cells - 1)));
  }
};

}  // namespace

std::string plot(const std::string& title, const std::vector<Curve>& curves, bool log_y, bool log_x) {
  const auto drawable = [&](double y) { return std::isfinite(y) && (!log_y || y > 0); };
  const auto height_of = [&](double y) { return log_y ? std::log10(y) : y; };
  const auto place_of = [&](double x) { return log_x ? std::log10(x) : x; };
  Extent x, y;
  for (const auto& curve : curves) {
    for (const auto& [at, value] : curve.points) {
      if (!drawable(value)) continue;
      x.include(place_of(at));
      y.include(height_of(value));
    }
  }
  if (x.low > x.high) return title + "\n  (nothing to draw)\n";

  std::vector<std::string> grid(kHeight, std::string(kWidth, ' '));
  for (size_t i = 0; i < curves.size(); ++i) {
    for (const auto& [at, value] : curves[i].points) {
      if (!drawable(value)) continue;
      const int row = kHeight - 1 - y.cell(height_of(value), kHeight);
      grid[static_cast<size_t>(row)][static_cast<size_t>(x.cell(place_of(at), kWidth))] = kLetters[i % 26];
    }
  }
  std::string text = title + "\n";
  for (int row = 0; row < kHeight; ++row) {
    const double level = y.high - (y.high - y.low) * row / (kHeight - 1);
    const bool labelled = row % 3 == 0 || row == kHeight - 1;
    const std::string label = labelled ? figure(log_y ? std::pow(10, level) : level, 3) : "";
    text += fmt::format("{:>9} {}{}\n", label, labelled ? "┤" : "│", grid[static_cast<size_t>(row)]);
  }
  std::string axis;
  for (int i = 0; i < kWidth; ++i) axis += "─";
  const auto tick = [&](double place) { return figure(log_x ? std::pow(10, place) : place, log_x ? 3 : 6); };
  text += fmt::format("{:>9} └{}\n{:>9}  {:<{}}{:^16}{:>{}}\n", "", axis, "", tick(x.low), kWidth / 2 - 8,
                      tick((x.low + x.high) / 2), tick(x.high), kWidth / 2 - 8);
  return text;
}

}  // namespace logodds
