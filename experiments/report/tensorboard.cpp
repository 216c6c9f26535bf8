#include "experiments/report/tensorboard.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cctype>
#include <chrono>
#include <map>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/files.h"
#include "event.pb.h"

namespace logodds {

namespace fs = std::filesystem;

uint32_t crc32c(std::string_view bytes) {
  static const auto table = [] {
    std::array<uint32_t, 256> made{};
    for (uint32_t i = 0; i < 256; ++i) {
      uint32_t value = i;
      for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) != 0 ? 0x82f63b78u : 0);
      made[i] = value;
    }
    return made;
  }();
  uint32_t crc = ~uint32_t{0};
  for (const char c : bytes) crc = table[(crc ^ static_cast<unsigned char>(c)) & 0xff] ^ (crc >> 8);
  return ~crc;
}

namespace {

template <class Number>
std::string little_endian(Number number) {
  std::string bytes;
  for (size_t i = 0; i < sizeof number; ++i) bytes += static_cast<char>((number >> (8 * i)) & 0xff);
  return bytes;
}

std::string masked_crc(std::string_view bytes) {
  return little_endian(static_cast<uint32_t>(std::rotr(crc32c(bytes), 15) + 0xa282ead8u));
}

/// TFRecord: length, its checksum, the bytes, theirs.
std::string record(const tensorboard::Event& event) {
  const std::string bytes = event.SerializeAsString(), length = little_endian(uint64_t{bytes.size()});
  return length + masked_crc(length) + bytes + masked_crc(bytes);
}

std::string tag(std::string column) {
  const size_t dot = column.find('.');
  if (dot != std::string::npos) column[dot] = '/';
  return column;
}

/// The events of a run, one per evaluation. Evaluations have no time of their own: all get that of the metrics file.
std::string events(const EvaluatedRun& run, double time, bool vectors) {
  tensorboard::Event first;
  first.set_wall_time(time);
  first.set_file_version("brain.Event:2");
  std::string file = record(first);
  for (const auto& row : run.rows) {
    tensorboard::Event event;
    event.set_wall_time(time);
    event.set_step(row.value("step", int64_t{0}));
    const auto add = [&](const std::string& name, const Row& value) {
      if (!value.is_number()) return;
      auto& added = *event.mutable_summary()->add_value();
      added.set_tag(tag(name));
      added.set_simple_value(static_cast<float>(value.get<double>()));
    };
    for (const auto& [name, value] : row.items()) {
      if (name == "step" || name == "run" || name == "seed") continue;
      add(name, value);
      for (size_t i = 0; vectors && value.is_array() && i < value.size(); ++i) {
        add(name + "[" + std::to_string(i) + "]", value[i]);
      }
    }
    file += record(event);
  }
  return file;
}

/// "weight_decay=1,seed=0", of characters that are harmless in a path.
std::string directory_name(const EvaluatedRun& run) {
  std::string name;
  for (const auto& [key, value] : run.values) {
    name += (name.empty() ? "" : ",") + key.substr(key.rfind('.') + 1) + "=" + value;
  }
  if (name.empty()) name = "run";
  std::ranges::replace_if(
      name, [](unsigned char c) { return std::isalnum(c) == 0 && c != '=' && c != ',' && c != '.' && c != '-'; }, '_');
  return name;
}

double time_of(const fs::path& file) {
  std::error_code ignored;
  const auto time = std::chrono::file_clock::to_sys(fs::last_write_time(file, ignored));
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

}  // namespace

void write_events(const std::vector<EvaluatedRun>& runs, const fs::path& directory, bool vectors) {
  std::map<std::string, size_t> used;
  for (const auto& run : runs) {
    std::string name = directory_name(run);
    if (const size_t again = used[name]++; again > 0) name += "," + std::to_string(again);
    std::error_code error;
    fs::create_directories(directory / name, error);
    if (error) throw io_error((directory / name).string() + ": cannot create directory: " + error.message());
    write_file_atomically(directory / name / "events.out.tfevents.0.logodds",
                          events(run, time_of(run.directory / "metrics.jsonl"), vectors));
  }
}

}  // namespace logodds
