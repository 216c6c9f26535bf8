#pragma once

#include <unistd.h>

#include <filesystem>
#include <string>

#include "core/error.h"

namespace logodds {

/// A directory of its own for a test, removed at its end.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "logodds-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw io_error(name + ": cannot create");
    path_ = name;
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

}  // namespace logodds
