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

std::string plot(const std::string& title, const std::vector<Curve>& curves, bool log_y) {
  const auto drawable = [&](double y) { return std::isfinite(y) && (!log_y || y > 0); };
  const auto height_of = [&](double y) { return log_y ? std::log10(y) : y; };
  Extent x, y;
  for (const auto& curve : curves) {
    for (const auto& [at, value] : curve.points) {
      if (!drawable(value)) continue;
      x.include(at);
      y.include(height_of(value));
    }
  }
  if (x.low > x.high) return title + "\n  (nothing to draw)\n";

  std::vector<std::string> grid(kHeight, std::string(kWidth, ' '));
  for (size_t i = 0; i < curves.size(); ++i) {
    for (const auto& [at, value] : curves[i].points) {
      if (!drawable(value)) continue;
      const int row = kHeight - 1 - y.cell(height_of(value), kHeight);
      grid[static_cast<size_t>(row)][static_cast<size_t>(x.cell(at, kWidth))] = kLetters[i % 26];
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
  text += fmt::format("{:>9} └{}\n{:>9}  {:<{}}{}\n", "", axis, "", figure(x.low, 6), kWidth - 8, figure(x.high, 6));
  return text;
}

}  // namespace logodds
