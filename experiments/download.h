#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace logodds {

/// How a file is fetched.
struct Download {
  std::string url;
  std::filesystem::path to;
  int64_t stall_seconds = 30;  ///< without a byte for so long, a connection is given up
  int attempts = 5;            ///< how often one that broke is taken up again
  std::function<void(int64_t received, int64_t total)> progress{};  ///< total 0: not known
  std::function<void(std::string_view content)> verify{};           ///< throws Error where the content is not right
};

/// Fetches a file by HTTP(S). What has arrived lies in TO.partial, and the next attempt, or the next call, takes it up
/// from there where the server can; the file appears under its own name when it is complete and verified, or not at
/// all. What fails verification is removed. Throws an I/O Error in one sentence that names the address.
void fetch(const Download& download);

}  // namespace logodds
