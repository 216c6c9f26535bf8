#pragma once

#include <string>
#include <utility>
#include <vector>

namespace logodds {

/// One curve; points in rising x.
struct Curve {
  std::string label;
  std::vector<std::pair<double, double>> points;
};

/// A plot for a terminal: each curve drawn with its own letter, later curves over earlier ones; the y axis
/// logarithmic where asked for (points ≤ 0 are then left out), and so the x axis, where no x may be ≤ 0. Points that
/// are not finite are left out.
std::string plot(const std::string& title, const std::vector<Curve>& curves, bool log_y, bool log_x = false);

}  // namespace logodds
