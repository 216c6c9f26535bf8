#include "core/json.h"

#include "core/error.h"

namespace logodds {

void refuse_json_bomb(std::string_view text, const std::string& source, size_t most_members) {
  constexpr size_t kMostLevels = 16;
  size_t depth = 0, members = 0;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') ++i;
      quoted = c != '"';
      continue;
    }
    quoted = c == '"';
    members += c == ':' ? 1 : 0;
    depth += c == '[' || c == '{' ? 1 : 0;
    depth -= (c == ']' || c == '}') && depth > 0 ? 1 : 0;
    if (depth > kMostLevels) throw io_error(source + ": nested deeper than " + std::to_string(kMostLevels) + " levels");
    if (members > most_members) throw io_error(source + ": has more than " + std::to_string(most_members) + " members");
  }
}

nlohmann::ordered_json parse_json(std::string_view text, const std::string& source) {
  refuse_json_bomb(text, source);
  auto json = nlohmann::ordered_json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) throw io_error(source + ": not a JSON object");
  return json;
}

std::string to_json(const nlohmann::ordered_json& value) {
  return value.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace logodds
