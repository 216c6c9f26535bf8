#include "core/idx.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <cstdlib>
#include <fstream>
#include <random>

#include "core/error.h"

namespace logodds {
namespace {

std::string big_endian(uint32_t value) {
  return {static_cast<char>(value >> 24), static_cast<char>(value >> 16), static_cast<char>(value >> 8),
          static_cast<char>(value)};
}

/// A file whose header says `shape`, followed by `entries` bytes 0, 1, 2, ….
std::string idx(const std::vector<uint32_t>& shape, size_t entries, char type = 8) {
  std::string file{0, 0, type, static_cast<char>(shape.size())};
  for (const uint32_t extent : shape) file += big_endian(extent);
  for (size_t i = 0; i < entries; ++i) file += static_cast<char>(i);
  return file;
}

std::string gzip(const std::string& content) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY);
  std::string packed(deflateBound(&stream, content.size()) + 32, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

std::string message(const std::string& file, int64_t dimensions) {
  try {
    read_idx(file, dimensions, "f");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::io);
    return error.what();
  }
  return "no error";
}

TEST(Idx, ReadsShapeAndEntriesGzippedOrNot) {
  const Tensor expected = at::arange(2 * 3 * 5, at::kByte).view({2, 3, 5});
  EXPECT_TRUE(read_idx(idx({2, 3, 5}, 30), 3, "f").equal(expected));
  EXPECT_TRUE(read_idx(gzip(idx({2, 3, 5}, 30)), 3, "f").equal(expected));
}

TEST(Idx, SaysInOneSentenceWhatIsWrong) {
  const std::string good = idx({2, 3, 5}, 30), packed = gzip(good);
  std::string damaged = packed;
  damaged[packed.size() - 6] = static_cast<char>(damaged[packed.size() - 6] ^ 1);  // in the checksum
  EXPECT_EQ(message("", 3), "f: is cut off");
  EXPECT_EQ(message(good.substr(0, 7), 3), "f: is cut off");
  EXPECT_EQ(message(good.substr(0, 40), 3), "f: is cut off: its header says 30 entries, and the file holds fewer");
  EXPECT_EQ(message(packed.substr(0, packed.size() - 20), 3).substr(0, 40), "f: is cut off: its header says 30 entrie");
  EXPECT_EQ(message(packed.substr(0, packed.size() - 3), 3), "f: is cut off");
  EXPECT_EQ(message(good + "x", 3), "f: goes on after the 30 entries of its header");
  EXPECT_EQ(message(packed + packed, 3), "f: goes on after the 30 entries of its header");
  EXPECT_EQ(message(damaged, 3), "f: the gzipped data are damaged (incorrect data check)");
  EXPECT_EQ(message(idx({30}, 30), 3),
            "f: holds labels (1 dimension) where images (3 dimensions) should be; are two files exchanged?");
  EXPECT_EQ(message(std::string("\x03\x08\0\0", 4) + good.substr(4), 3),
            "f: its bytes are swapped: IDX files are big-endian");
  EXPECT_EQ(message("\x89PNG\r\n\x1a\n", 3), "f: is not an IDX file, which begins with two bytes of 0");
  EXPECT_EQ(message(idx({2, 3, 5}, 120, 13), 3),
            "f: its entries are of type 13; only unsigned bytes, type 8, are read");
  EXPECT_EQ(message(idx({0, 3, 5}, 0), 3), "f: is empty: its header says 0 entries");
}

/// Largest address space that the process had so far, bytes.
int64_t peak_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (word == "VmPeak:") {
      int64_t kilobytes = 0;
      status >> kilobytes;
      return kilobytes * 1024;
    }
  }
  return -1;
}

TEST(Idx, AllocatesNoMoreThanTheFileCanHold) {
  const uint32_t huge = 0xffffffff;
  std::string bomb = gzip(idx({10, 10, 10}, 64 << 20));  // 64 MiB after a header of 1000 bytes
  const std::vector<std::string> liars{idx({huge, 28, 28}, 100), gzip(idx({huge, 28, 28}, 100)),
                                       idx({huge, huge, huge}, 100), idx({60000, 28, 28}, 5000), bomb};
  const int64_t before = peak_bytes();
  ASSERT_GT(before, 0);
  for (const auto& file : liars) EXPECT_THROW(read_idx(file, 3, "f"), Error);
  EXPECT_LT(peak_bytes() - before, 4 << 20);
}

}  // namespace
}  // namespace logodds
