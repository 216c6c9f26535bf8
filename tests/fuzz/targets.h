#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace logodds {

/// A reader of something that may come from a stranger.
struct FuzzTarget {
  std::string name;  ///< also of its folder under corpus/
  int64_t share;     ///< of all inputs, in thousandths
  /// Reads an input; an Error of any code but `internal` is its right to refuse, any other exception a defect.
  std::function<void(const std::string&)> read;
  /// Bytes that the reader may honestly allocate, at most: `fixed` and `per_byte` for each of the input's.
  size_t fixed, per_byte;
  std::vector<std::string> seeds;  ///< beside those of the corpus
  std::vector<std::string> once;   ///< long ones, which are read as they are only
};

/// All of them; files are made in the working directory.
std::vector<FuzzTarget> fuzz_targets();

}  // namespace logodds
