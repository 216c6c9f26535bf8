#pragma once

#include <random>
#include <string>
#include <vector>

namespace logodds {

/// Changes an input at one to four random places: bits, bytes, pieces lost, repeated (seldom up to 256 KiB), or brought
/// in from another input, words that readers tend to stumble over, numbers replaced, the end.
void mutate(std::string& input, const std::vector<std::string>& others, std::mt19937_64& random);

}  // namespace logodds
