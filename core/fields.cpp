#include "core/fields.h"

#include <algorithm>

#include "core/text.h"

namespace logodds {

bool Range::contains(double value) const {
  return (open_low ? value > low : value >= low) && (open_high ? value < high : value <= high);
}

std::string Range::text() const {
  const bool bounded_below = low > -std::numeric_limits<double>::infinity();
  const bool bounded_above = high < std::numeric_limits<double>::infinity();
  if (!bounded_below && !bounded_above) return "any finite number";
  if (!bounded_above) return (open_low ? "above " : "at least ") + shortest(low);
  if (!bounded_below) return (open_high ? "below " : "at most ") + shortest(high);
  return std::string("in ") + (open_low ? "(" : "[") + shortest(low) + ", " + shortest(high) + (open_high ? ")" : "]");
}

std::string Range::integer_text() const { return "a whole number " + text(); }

std::string Range::real_text() const {
  return (text() == "any finite number" ? "a finite number" : "a number " + text());
}

size_t RunAxes::run_count() const {
  size_t count = 1;
  for (const auto& [key, values] : axes) {
    const size_t most = std::numeric_limits<size_t>::max() / std::max<size_t>(values.size(), 1);
    count = count > most ? std::numeric_limits<size_t>::max() : count * values.size();
  }
  return count;
}

size_t RunAxes::index(size_t axis, size_t run) const {
  for (size_t later = axes.size() - 1; later > axis; --later) run /= axes[later].second.size();
  return run % axes[axis].second.size();
}

}  // namespace logodds
