#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace logodds {

/// "a, b, c"
std::string join(const std::vector<std::string>& words, std::string_view separator = ", ");

/// The candidate closest to `word` by edit distance (insert, delete, replace, swap of neighbours), if it is near
/// enough to be a slip of the fingers: at most max(2, length/3) edits.
std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates);

/// " (did you mean 'x'?)", or the list of candidates where nothing is near.
std::string suggestion(std::string_view word, const std::vector<std::string>& candidates);

/// Shortest decimal text that reads back as the same double.
std::string shortest(double value);

/// Strict readers: the whole text must be the number. A decimal integer without leading zeros; a finite decimal real.
std::optional<int64_t> parse_integer(std::string_view text);
std::optional<double> parse_real(std::string_view text);

}  // namespace logodds
