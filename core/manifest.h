#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace logodds {

/// DIRECTORY/manifest.json: size and SHA-256 of files of that directory.
class Manifest {
 public:
  /// Reads one, which must be, byte for byte, what `write` writes; it has a hash of its own. Throws an I/O Error.
  static Manifest read(const std::filesystem::path& directory);

  /// Writes a file of the directory and lists it.
  void put(const std::filesystem::path& directory, const std::string& name, std::string_view content);
  /// Lists a file that is written by other means.
  void add(const std::string& name, std::string_view content);
  void write(const std::filesystem::path& directory) const;

  std::vector<std::string> names() const;

  /// The content of a file that is listed; an I/O Error that names it where it is missing or not as it was written.
  std::string verified(const std::filesystem::path& directory, const std::string& name) const;

 private:
  nlohmann::ordered_json files_ = nlohmann::ordered_json::object();
};

/// A sentence for each file that DIRECTORY/manifest.json lists and that is missing or damaged, or for that file itself.
std::vector<std::string> manifest_problems(const std::filesystem::path& directory);

}  // namespace logodds
