#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace logodds {

/// The SHA-256 of bytes that come piece by piece. Throws an internal Error where OpenSSL does not have it.
class Sha256 {
 public:
  Sha256();
  void add(std::string_view bytes);
  /// Of all bytes so far, in lower-case hexadecimal; more may follow.
  std::string text() const;

 private:
  std::shared_ptr<void> context_;
};

}  // namespace logodds
