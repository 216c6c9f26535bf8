#include "experiments/report/picture.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "experiments/report/table.h"

namespace logodds {

namespace {

struct Grid {
  const Row& rows;
  size_t height() const { return rows.size(); }
  size_t width() const { return rows.at(0).size(); }
  double at(size_t y, size_t x) const { return rows[y][x].get<double>(); }
  double largest() const {
    double value = 1e-300;
    for (const auto& row : rows) {
      for (const auto& entry : row) value = std::max(value, std::abs(entry.get<double>()));
    }
    return value;
  }
};

using Colour = std::array<int, 3>;

/// Grey for the pixel, over a tint of at most half the brightness for the patch.
Colour colour_of(double pixel, double tint) {
  const double ground = 110 * std::abs(tint), ink = 255 * pixel;
  const auto mixed = [&](double under) { return static_cast<int>(std::lround(ink + (1 - pixel) * under)); };
  return {mixed(tint < 0 ? ground : 0), mixed(tint > 0 ? ground : 0), mixed(0)};
}

std::string escape(const char* what, const Colour& colour) {
  return std::string("\033[") + what + ";2;" + std::to_string(colour[0]) + ";" + std::to_string(colour[1]) + ";" +
         std::to_string(colour[2]) + "m";
}

std::string shade(double upper, double lower) {
  static constexpr const char* kShades[] = {" ", "░", "▒", "▓", "█"};
  return kShades[std::clamp(static_cast<int>(std::lround(2 * (upper + lower))), 0, 4)];
}

}  // namespace

std::string picture_text(const Row& picture, bool colour) {
  const Grid pixels{picture.at("pixels")}, patches{picture.at("patches")};
  const double scale = patches.largest();
  const auto tinted = [&](size_t y, size_t x) {
    const double evidence = patches.at(y * patches.height() / pixels.height(), x * patches.width() / pixels.width());
    return colour_of(pixels.at(y, x), evidence / scale);
  };
  std::string text;
  for (size_t y = 0; y < pixels.height(); y += 2) {
    const bool two = y + 1 < pixels.height();
    for (size_t x = 0; x < pixels.width(); ++x) {
      if (colour) {
        text += escape("38", tinted(y, x)) + (two ? escape("48", tinted(y + 1, x)) : "") + "▀";
        if (!two) text += "\033[0m";
      } else {
        text += shade(pixels.at(y, x), two ? pixels.at(y + 1, x) : 0);
      }
    }
    text += colour ? "\033[0m\n" : "\n";
  }
  const auto line = [&](size_t row) {
    std::vector<std::string> cells;
    for (size_t column = 0; column < patches.width(); ++column) cells.push_back(signed_figure(patches.at(row, column)));
    return cells;
  };
  Table table(line(0));
  for (size_t row = 1; row < patches.height(); ++row) table.add(line(row));
  return text + "Evidence of each patch (exact Shapley values), nats; background " +
         signed_figure(picture.at("background").get<double>()) + "\n" + table.text();
}

}  // namespace logodds
