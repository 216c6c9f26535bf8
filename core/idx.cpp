#include "core/idx.h"

#include <ATen/ATen.h>
#include <zlib.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "core/error.h"

namespace logodds {

namespace {

/// The bytes of a file from front to back, uncompressed on the way.
class Bytes {
 public:
  Bytes(std::string_view bytes, const std::string& source)
      : rest_(bytes), source_(source), gzip_(bytes.starts_with("\x1f\x8b")) {
    // 15: any window; 16: gzip's header and checksum, nothing else.
    if (gzip_ && inflateInit2(&stream_, 15 + 16) != Z_OK) throw Error("zlib cannot start", ExitCode::internal);
  }
  ~Bytes() {
    if (gzip_) inflateEnd(&stream_);
  }
  Bytes(const Bytes&) = delete;
  Bytes& operator=(const Bytes&) = delete;

  /// The most bytes that can still come. Deflate makes at most 1032 of one.
  uint64_t most() const { return gzip_ ? 1032 * static_cast<uint64_t>(rest_.size()) : rest_.size(); }

  /// Reads `wanted` bytes, or as many as there are.
  uint64_t read(uint8_t* to, uint64_t wanted) { return gzip_ ? inflate_to(to, wanted) : copy_to(to, wanted); }

  enum class End { reached, missing, further };

  /// What comes after the entries: nothing, less than nothing (gzip's checksum is missing; it is held against the data
  /// here), or more.
  End end() {
    uint8_t more = 0;
    if (read(&more, 1) > 0) return End::further;
    if (gzip_ && !ended_) return End::missing;
    return rest_.empty() ? End::reached : End::further;
  }

 private:
  uint64_t copy_to(uint8_t* to, uint64_t wanted) {
    const size_t count = std::min<uint64_t>(wanted, rest_.size());
    std::copy_n(rest_.data(), count, to);
    rest_.remove_prefix(count);
    return count;
  }

  uint64_t inflate_to(uint8_t* to, uint64_t wanted) {
    uint64_t got = 0;
    while (got < wanted && !ended_) {
      constexpr uint64_t kMost = std::numeric_limits<uInt>::max();
      const auto room = static_cast<uInt>(std::min(wanted - got, kMost));
      stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(rest_.data()));  // zlib does not write to it
      stream_.avail_in = static_cast<uInt>(std::min<uint64_t>(rest_.size(), kMost));
      stream_.next_out = to + got;
      stream_.avail_out = room;
      const uInt before = stream_.avail_in;
      const int status = inflate(&stream_, Z_NO_FLUSH);
      rest_.remove_prefix(before - stream_.avail_in);
      got += room - stream_.avail_out;
      ended_ = status == Z_STREAM_END;
      if (status == Z_BUF_ERROR) break;  // the file ends too early
      if (status != Z_OK && !ended_) {
        throw io_error(source_ + ": the gzipped data are damaged" +
                       (stream_.msg != nullptr ? std::string(" (") + stream_.msg + ")" : ""));
      }
    }
    return got;
  }

  std::string_view rest_;
  const std::string& source_;
  bool gzip_;
  bool ended_ = false;
  z_stream stream_{};
};

constexpr const char* kWhat[] = {"numbers", "labels", "a table", "images", "colour images"};

std::string what(int64_t dimensions) {
  return std::string(kWhat[dimensions <= 4 ? dimensions : 0]) + " (" + std::to_string(dimensions) + " dimension" +
         (dimensions == 1 ? ")" : "s)");
}

void check_magic(const uint8_t* magic, int64_t dimensions, const std::string& source) {
  if (magic[0] != 0 || magic[1] != 0) {
    const bool swapped = magic[3] == 0 && magic[2] == 0 && magic[1] == 8;
    throw io_error(source + (swapped ? ": its bytes are swapped: IDX files are big-endian"
                                     : ": is not an IDX file, which begins with two bytes of 0"));
  }
  if (magic[2] != 8) {
    throw io_error(source + ": its entries are of type " + std::to_string(magic[2]) +
                   "; only unsigned bytes, type 8, are read");
  }
  if (magic[3] != dimensions) {
    throw io_error(source + ": holds " + what(magic[3]) + " where " + what(dimensions) +
                   " should be; are two files exchanged?");
  }
}

}  // namespace

Tensor read_idx(std::string_view bytes, int64_t dimensions, const std::string& source) {
  Bytes file(bytes, source);
  std::vector<uint8_t> header(4 + 4 * static_cast<size_t>(dimensions));
  const auto cut_off = [&] { return io_error(source + ": is cut off"); };
  if (file.read(header.data(), 4) < 4) throw cut_off();
  check_magic(header.data(), dimensions, source);
  if (file.read(header.data() + 4, header.size() - 4) < header.size() - 4) throw cut_off();
  std::vector<int64_t> shape;
  uint64_t size = 1;
  for (size_t i = 4; i < header.size(); i += 4) {
    const uint32_t extent = uint32_t{header[i]} << 24 | uint32_t{header[i + 1]} << 16 | uint32_t{header[i + 2]} << 8 |
                            uint32_t{header[i + 3]};
    shape.push_back(extent);
    if (extent == 0) throw io_error(source + ": is empty: its header says 0 entries");
    if (size > std::numeric_limits<int64_t>::max() / extent) throw cut_off();
    size *= extent;
  }
  if (size > file.most()) {
    throw io_error(source + ": is cut off: its header says " + std::to_string(size) + " entries, and the file holds " +
                   "fewer");
  }
  Tensor entries = at::empty(shape, at::kByte);
  const uint64_t got = file.read(entries.mutable_data_ptr<uint8_t>(), size);
  if (got < size) {
    throw io_error(source + ": is cut off: its header says " + std::to_string(size) + " entries, and there are " +
                   std::to_string(got));
  }
  switch (file.end()) {
    case Bytes::End::missing:
      throw cut_off();
    case Bytes::End::further:
      throw io_error(source + ": goes on after the " + std::to_string(size) + " entries of its header");
    case Bytes::End::reached:
      break;
  }
  return entries;
}

}  // namespace logodds
