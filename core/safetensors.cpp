#include "core/safetensors.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/files.h"
#include "core/json.h"

namespace logodds {

namespace {

using Json = nlohmann::json;  // sorted: a header may have any number of names, and ordered_json seeks one by one

struct DtypeName {
  const char* name;
  at::ScalarType type;
};
constexpr DtypeName kDtypes[] = {{"F32", at::kFloat}, {"F64", at::kDouble},    {"I64", at::kLong},
                                 {"F16", at::kHalf},  {"BF16", at::kBFloat16}, {"I32", at::kInt},
                                 {"U8", at::kByte},   {"BOOL", at::kBool}};

const char* name_of(at::ScalarType type) {
  for (const auto& dtype : kDtypes) {
    if (dtype.type == type) return dtype.name;
  }
  throw Error("safetensors cannot hold tensors of type " + std::string(at::toString(type)), ExitCode::internal);
}

struct Slice {
  std::string name;
  at::ScalarType type;
  std::vector<int64_t> shape;
  uint64_t begin;
  uint64_t end;
};

Slice read_entry(const std::string& name, const Json& entry, uint64_t data_bytes, const std::string& source) {
  const auto bad = [&](const std::string& what) { return io_error(source + ": tensor '" + name + "' " + what); };
  if (!entry.is_object()) throw bad("is not described by an object");
  const auto dtype = entry.find("dtype"), shape = entry.find("shape"), offsets = entry.find("data_offsets");
  if (dtype == entry.end() || shape == entry.end() || offsets == entry.end() || !dtype->is_string() ||
      !shape->is_array() || !offsets->is_array() || offsets->size() != 2) {
    throw bad("lacks dtype, shape or data_offsets");
  }
  Slice slice{.name = name, .type = at::kFloat, .shape = {}, .begin = 0, .end = 0};
  const auto known = std::ranges::find_if(kDtypes, [&](const auto& d) { return dtype->get<std::string>() == d.name; });
  if (known == std::end(kDtypes)) throw bad("has the unsupported dtype '" + dtype->get<std::string>() + "'");
  slice.type = known->type;
  uint64_t bytes = at::elementSize(slice.type);
  for (const auto& size : *shape) {
    if (!size.is_number_unsigned()) throw bad("has a shape that is not a list of sizes");
    const auto extent = size.get<uint64_t>();
    if (extent != 0 && bytes > data_bytes / extent) throw bad("is larger than the file");
    bytes *= extent;
    slice.shape.push_back(static_cast<int64_t>(extent));
  }
  for (const auto& offset : *offsets) {
    if (!offset.is_number_unsigned()) throw bad("has data_offsets that are not positions");
  }
  slice.begin = (*offsets)[0].get<uint64_t>();
  slice.end = (*offsets)[1].get<uint64_t>();
  if (slice.end > data_bytes || slice.begin > slice.end || slice.end - slice.begin != bytes) {
    throw bad("has data_offsets that do not match its shape and the file's size");
  }
  return slice;
}

}  // namespace

std::string to_safetensors(const NamedTensors& tensors, const std::map<std::string, std::string>& metadata) {
  Json header = Json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::vector<Tensor> contents;
  uint64_t offset = 0;
  for (const auto& [name, tensor] : tensors) {
    contents.push_back(tensor.detach().to(at::kCPU).contiguous());
    const uint64_t bytes = contents.back().nbytes();
    header[name] = {{"dtype", name_of(tensor.scalar_type())},
                    {"shape", tensor.sizes().vec()},
                    {"data_offsets", {offset, offset + bytes}}};
    offset += bytes;
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');  // the format asks for aligned data
  const uint64_t length = text.size();
  std::string out(reinterpret_cast<const char*>(&length), sizeof length);
  out.reserve(sizeof length + text.size() + offset);
  out += text;
  for (const auto& content : contents) out.append(static_cast<const char*>(content.data_ptr()), content.nbytes());
  return out;
}

NamedTensors from_safetensors(std::string_view bytes, const std::string& source) {
  uint64_t length = 0;
  if (bytes.size() < sizeof length) throw io_error(source + ": too short for a safetensors file");
  std::memcpy(&length, bytes.data(), sizeof length);
  bytes.remove_prefix(sizeof length);
  if (length > bytes.size())
    throw io_error(source + ": not a safetensors file, or cut short: its header is longer than the file");
  refuse_json_bomb(bytes.substr(0, length), source, length);
  const Json header = Json::parse(bytes.substr(0, length), nullptr, /*allow_exceptions=*/false);
  if (!header.is_object()) throw io_error(source + ": not a safetensors file: its header is not a JSON object");
  const std::string_view data = bytes.substr(length);

  std::vector<Slice> slices;
  for (const auto& [name, entry] : header.items()) {
    if (name != "__metadata__") slices.push_back(read_entry(name, entry, data.size(), source));
  }
  std::ranges::sort(slices, {}, [](const Slice& s) { return std::pair(s.begin, s.end); });
  uint64_t position = 0;
  for (const auto& slice : slices) {
    if (slice.begin != position)
      throw io_error(source + ": tensor '" + slice.name + "' overlaps another or leaves a gap");
    position = slice.end;
  }
  if (position != data.size()) throw io_error(source + ": has bytes that belong to no tensor");

  NamedTensors tensors;
  for (const auto& slice : slices) {
    Tensor tensor = at::empty(slice.shape, at::TensorOptions().dtype(slice.type));
    if (slice.end > slice.begin) std::memcpy(tensor.data_ptr(), data.data() + slice.begin, slice.end - slice.begin);
    tensors.emplace(slice.name, std::move(tensor));
  }
  return tensors;
}

NamedTensors read_safetensors(const std::filesystem::path& path) {
  return from_safetensors(read_file(path), path.string());
}

}  // namespace logodds
