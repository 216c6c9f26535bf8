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

/// One random change of a file: bits, bytes, a piece lost, repeated or moved in, the end.
void mutate(std::string& file, std::mt19937_64& random) {
  const auto below = [&](size_t limit) { return limit == 0 ? 0 : random() % limit; };
  const size_t at = below(file.size()), length = 1 + below(16);
  switch (file.empty() ? 4 : random() % 7) {
    case 0:
      file[at] = static_cast<char>(file[at] ^ (1 << random() % 8));
      break;
    case 1:
      file[at] = static_cast<char>(random());
      break;
    case 2:
      file.erase(at, length);
      break;
    case 3:
      file.insert(at, file.substr(below(file.size()), length));
      break;
    case 4:
      file += std::string(length, static_cast<char>(random()));
      break;
    case 5:
      file.resize(at);
      break;
    case 6:
      file[below(std::min<size_t>(file.size(), 20))] = static_cast<char>(random());
      break;  // the header
  }
}

// LOGODDS_MUTATIONS=100000 with the preset `asan` is the long form.
TEST(Idx, MutatedFilesGiveAnErrorOrDataOfTheirHeadersSize) {
  const char* setting = std::getenv("LOGODDS_MUTATIONS");
  const int64_t count = setting != nullptr ? std::atoll(setting) : 5000;
  const std::string images = idx({20, 7, 5}, 700), labels = idx({50}, 50);
  const std::vector<std::pair<std::string, int64_t>> seeds{
      {images, 3}, {gzip(images), 3}, {labels, 1}, {gzip(labels), 1}, {gzip(idx({3, 200, 200}, 120000)), 3}};
  std::mt19937_64 random(1);
  int64_t read = 0;
  for (int64_t i = 0; i < count; ++i) {
    auto [file, dimensions] = seeds[static_cast<size_t>(i) % seeds.size()];
    for (uint64_t changes = random() % 4 + 1; changes > 0; --changes) mutate(file, random);
    try {
      const Tensor entries = read_idx(file, dimensions, "f");
      EXPECT_EQ(entries.dim(), dimensions);
      if (file[0] == 0) {
        EXPECT_EQ(entries.numel() + 4 + 4 * dimensions, static_cast<int64_t>(file.size()));
      }
      ++read;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::io) << error.what();
    }
  }
  EXPECT_GT(read, 0);  // a changed pixel is no error
  EXPECT_LT(read, count);
}

}  // namespace
}  // namespace logodds
