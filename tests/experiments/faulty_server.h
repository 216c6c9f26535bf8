#pragma once

#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <string>

#include "core/files.h"

namespace logodds {

/// Serves directory/served on this machine with the faults of faulty_server.py, as long as it lives.
class FaultyServer {
 public:
  explicit FaultyServer(const std::filesystem::path& directory) {
    std::filesystem::create_directory(directory / "served");
    const std::filesystem::path port = directory / "port";
    // It ends with its standard input, which is this pipe.
    pipe_ = ::popen(("python3 " LOGODDS_CONFIGS "/../../tests/experiments/faulty_server.py " +
                     (directory / "served").string() + " >" + port.string())
                        .c_str(),
                    "w");
    while (port_.empty() || port_.back() != '\n') {
      ::usleep(20000);
      if (std::filesystem::exists(port)) port_ = read_file(port);
    }
    port_.pop_back();
  }
  ~FaultyServer() { ::pclose(pipe_); }
  FaultyServer(const FaultyServer&) = delete;
  FaultyServer& operator=(const FaultyServer&) = delete;

  /// "http://127.0.0.1:PORT/" and a path.
  std::string address(const std::string& path) const { return "http://127.0.0.1:" + port_ + "/" + path; }

 private:
  std::FILE* pipe_;
  std::string port_;
};

}  // namespace logodds
