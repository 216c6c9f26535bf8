#pragma once

#include <functional>
#include <string_view>

namespace logodds {

/// Told, whenever a part of training ends, what the time since the last call was spent on. Where it is empty, nothing
/// is measured: `note` is then one comparison.
using Spent = std::function<void(std::string_view part)>;

inline void note(const Spent& spent, std::string_view part) {
  if (spent) spent(part);
}

}  // namespace logodds
