#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "core/tensor.h"

namespace logodds {

/// Tensors by name, in the order of their names.
using NamedTensors = std::map<std::string, Tensor>;

/// The safetensors format: an 8-byte little-endian header length, a JSON header {name: {dtype, shape, data_offsets}},
/// then the data. Written here: F32, F64, I64. Tensors are copied to the CPU.
std::string to_safetensors(const NamedTensors& tensors, const std::map<std::string, std::string>& metadata = {});

/// Reads what the format allows and nothing else: the header must describe exactly the bytes that follow, without gaps
/// or overlaps. `source` names the file in errors (I/O Error). Allocates no more than the file's own size.
NamedTensors from_safetensors(std::string_view bytes, const std::string& source);

NamedTensors read_safetensors(const std::filesystem::path& path);

}  // namespace logodds
