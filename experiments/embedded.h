#pragma once

#include <span>
#include <string_view>

namespace logodds {

/// A text file that the program carries with it: configurations and published results.
struct EmbeddedFile {
  std::string_view path;  ///< from experiments/ on: "configs/demo.yaml", "published/zhong2023.yaml"
  std::string_view text;
};

/// All of them in the order of their paths; written by cmake/embed.cmake.
std::span<const EmbeddedFile> embedded_files();

}  // namespace logodds
