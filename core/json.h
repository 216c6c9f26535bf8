#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace logodds {

/// Throws an I/O Error that begins with `source` where a JSON text nests deeper than 16 levels, which would let a walk
/// over it overflow the stack, or has more than `most_members` members, which take quadratic time to keep in order.
void refuse_json_bomb(std::string_view text, const std::string& source, size_t most_members = 10000);

/// Reads one JSON object from a file that may come from anywhere; throws an I/O Error that begins with `source`.
nlohmann::ordered_json parse_json(std::string_view text, const std::string& source);

/// A member of an object; `fallback` where it is missing or of another type.
template <class T>
T member_or(const nlohmann::ordered_json& object, const char* name, T fallback) {
  const auto found = object.find(name);
  if (found == object.end()) return fallback;
  const bool fits = std::is_arithmetic_v<T> ? found->is_number() : found->is_string();
  return fits ? found->template get<T>() : fallback;
}

/// JSON for people to read; text that is not UTF-8, such as the name of a file, is made so.
std::string to_json(const nlohmann::ordered_json& value);

}  // namespace logodds
