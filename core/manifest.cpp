#include "core/manifest.h"

#include <algorithm>

#include "core/error.h"
#include "core/files.h"
#include "core/json.h"

namespace logodds {

namespace {

using Json = nlohmann::ordered_json;

std::string text_of(const Json& files) {
  return Json{{"format", 1}, {"files", files}, {"files_sha256", sha256(files.dump())}}.dump(1) + "\n";
}

/// As earlier versions wrote it.
std::string text_without_hash(const Json& files) { return Json{{"format", 1}, {"files", files}}.dump(1) + "\n"; }

bool is_entry(const Json& file) {
  return file.is_object() && file.contains("bytes") && file["bytes"].is_number_unsigned() && file.contains("sha256") &&
         file["sha256"].is_string();
}

}  // namespace

Manifest Manifest::read(const std::filesystem::path& directory) {
  const auto path = directory / "manifest.json";
  const std::string text = read_file(path);
  const Json json = parse_json(text, path.string());
  Manifest manifest;
  if (json.contains("files")) manifest.files_ = json["files"];
  const bool as_written = text_of(manifest.files_) == text || text_without_hash(manifest.files_) == text;
  const bool whole = as_written && manifest.files_.is_object() && std::ranges::all_of(manifest.files_, is_entry);
  if (!whole) throw io_error(path.string() + ": is damaged: it is not as it was written");
  return manifest;
}

void Manifest::put(const std::filesystem::path& directory, const std::string& name, std::string_view content) {
  write_file_atomically(directory / name, content);
  add(name, content);
}

void Manifest::add(const std::string& name, std::string_view content) {
  files_[name] = {{"bytes", content.size()}, {"sha256", sha256(content)}};
}

void Manifest::write(const std::filesystem::path& directory) const {
  write_file_atomically(directory / "manifest.json", text_of(files_));
}

std::vector<std::string> Manifest::names() const {
  std::vector<std::string> names;
  for (const auto& [name, file] : files_.items()) names.push_back(name);
  return names;
}

std::string Manifest::verified(const std::filesystem::path& directory, const std::string& name) const {
  const auto entry = files_.find(name);
  if (entry == files_.end()) throw io_error((directory / "manifest.json").string() + ": does not list " + name);
  std::string content = read_file(directory / name);
  const auto bytes = (*entry)["bytes"].get<size_t>();
  if (content.size() != bytes) {
    throw io_error((directory / name).string() + ": is damaged: it has " + std::to_string(content.size()) +
                   " bytes, and not " + std::to_string(bytes) + " as in manifest.json");
  }
  if ((*entry)["sha256"] != sha256(content)) {
    throw io_error((directory / name).string() + ": is damaged: its SHA-256 is not the one in manifest.json");
  }
  return content;
}

std::vector<std::string> manifest_problems(const std::filesystem::path& directory) {
  std::vector<std::string> problems;
  const auto attempt = [&](const auto& what) {
    try {
      what();
    } catch (const Error& error) {
      problems.emplace_back(error.what());
    }
  };
  attempt([&] {
    const Manifest manifest = Manifest::read(directory);
    for (const auto& name : manifest.names()) attempt([&] { manifest.verified(directory, name); });
  });
  return problems;
}

}  // namespace logodds
