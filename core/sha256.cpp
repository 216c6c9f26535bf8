#include "core/sha256.h"

#include <openssl/evp.h>

#include <array>

#include "core/error.h"

namespace logodds {

namespace {

EVP_MD_CTX* context_of(const std::shared_ptr<void>& context) { return static_cast<EVP_MD_CTX*>(context.get()); }

void check(int result) {
  if (result != 1) throw Error("SHA-256 is not available in this OpenSSL", ExitCode::internal);
}

}  // namespace

Sha256::Sha256()
    : context_(EVP_MD_CTX_new(), [](void* context) { EVP_MD_CTX_free(static_cast<EVP_MD_CTX*>(context)); }) {
  check(EVP_DigestInit_ex(context_of(context_), EVP_sha256(), nullptr));
}

void Sha256::add(std::string_view bytes) { check(EVP_DigestUpdate(context_of(context_), bytes.data(), bytes.size())); }

std::string Sha256::text() const {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> copy(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  check(EVP_MD_CTX_copy_ex(copy.get(), context_of(context_)));
  check(EVP_DigestFinal_ex(copy.get(), digest.data(), &length));
  static constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  for (unsigned int i = 0; i < length; ++i) {
    text += kHex[digest[i] >> 4];
    text += kHex[digest[i] & 15];
  }
  return text;
}

}  // namespace logodds
