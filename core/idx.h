#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/tensor.h"

namespace logodds {

/// The IDX format of the MNIST family: bytes 0, 0, type, number of dimensions; each dimension as 4 bytes, big-endian;
/// then the entries. Unsigned bytes are read, gzipped or not. `source` names the file in errors.
///
/// Returns a tensor of bytes with exactly `dimensions` dimensions. Throws an I/O Error for files of another kind, cut
/// off, longer than their header says, or damaged (gzip's checksum). Allocates what the header says and no more, and
/// only where the file is long enough to hold it: a plain file byte by byte, a gzipped one at deflate's best ratio.
Tensor read_idx(std::string_view bytes, int64_t dimensions, const std::string& source);

}  // namespace logodds
