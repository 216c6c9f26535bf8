#include "core/safetensors.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cstring>

#include "core/error.h"
#include "core/files.h"

namespace logodds {
namespace {

NamedTensors sample() {
  return {{"a", at::arange(6, at::kFloat).view({2, 3})},
          {"b.c", at::tensor({-1.5}, at::kDouble)},
          {"n", at::empty({0, 4})}};
}

std::string with_header(const std::string& header, const std::string& data) {
  const uint64_t length = header.size();
  return std::string(reinterpret_cast<const char*>(&length), 8) + header + data;
}

TEST(Safetensors, ReadsBackWhatItWrote) {
  const auto tensors = from_safetensors(to_safetensors(sample()), "f");
  ASSERT_EQ(tensors.size(), 3u);
  for (const auto& [name, tensor] : sample()) {
    EXPECT_TRUE(tensors.at(name).equal(tensor)) << name;
    EXPECT_EQ(tensors.at(name).scalar_type(), tensor.scalar_type());
  }
}

TEST(Safetensors, ReadsAFileOfThePythonLibrary) {
  const auto tensors = read_safetensors(std::string(LOGODDS_TEST_DATA) + "/pytorch_reference.safetensors");
  EXPECT_EQ(tensors.at("equals/logits").sizes(), (at::IntArrayRef{30, 7}));
  EXPECT_EQ(tensors.at("equals/inputs").scalar_type(), at::kLong);
}

TEST(Safetensors, RefusesHeadersThatDoNotDescribeTheBytes) {
  const std::string four(4, 'x');
  const std::vector<std::string> bad{
      "",
      "1234567",
      with_header("{", ""),
      with_header("[]", ""),
      with_header(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,8]}})", four),   // beyond the file
      with_header(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", four),   // shape disagrees
      with_header(R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", four),  // negative size
      with_header(R"({"a":{"dtype":"F3","shape":[1],"data_offsets":[0,4]}})", four),    // unknown dtype
      with_header(R"({"a":{"dtype":"F32","shape":[1]}})", four),                        // no offsets
      with_header(R"({"a":{"dtype":"U8","shape":[3],"data_offsets":[1,4]}})", four),    // gap
      with_header(
          R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}})",
          four),
      with_header(R"({"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}})", four),  // trailing byte
      with_header(R"({"a":{"dtype":"F64","shape":[4294967296,4294967296],"data_offsets":[0,4]}})", four),  // overflow
  };
  for (const auto& bytes : bad) EXPECT_THROW(from_safetensors(bytes, "f"), Error) << bytes;
}

TEST(Safetensors, EveryTruncationAndEveryFlippedHeaderByteIsAnErrorOrReadsCleanly) {
  const std::string good = to_safetensors(sample());
  for (size_t length = 0; length < good.size(); ++length) {
    EXPECT_THROW(from_safetensors(good.substr(0, length), "f"), Error) << length;
  }
  uint64_t header = 0;
  std::memcpy(&header, good.data(), 8);
  for (size_t i = 0; i < 8 + header; ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string bytes = good;
      bytes[i] = static_cast<char>(bytes[i] ^ (1 << bit));
      try {
        from_safetensors(bytes, "f");  // a renamed tensor is still a valid file
      } catch (const Error&) {
      }
    }
  }
}

}  // namespace
}  // namespace logodds
