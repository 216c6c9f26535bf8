#include "experiments/run_directory.h"

#include <ATen/Parallel.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "core/error.h"
#include "core/files.h"
#include "core/log.h"
#include "core/manifest.h"
#include "version.h"

namespace logodds {

namespace fs = std::filesystem;

namespace {

std::string now() {
  const std::time_t time = std::time(nullptr);
  char text[32];
  std::strftime(text, sizeof text, "%FT%TZ", std::gmtime(&time));
  return text;
}

std::string host() {
  char name[256] = "";
  ::gethostname(name, sizeof name - 1);
  return name;
}

/// The processor's name and how many cores there are, as Linux has them; empty elsewhere.
std::string processor() {
  std::ifstream file("/proc/cpuinfo");
  std::string line;
  while (std::getline(file, line)) {
    if (!line.starts_with("model name")) continue;
    const auto cores = std::thread::hardware_concurrency();
    return line.substr(std::min(line.find(':') + 2, line.size())) + ", " + std::to_string(cores) + " cores";
  }
  return "";
}

std::string provenance(const Experiment& experiment, const std::string& command_line) {
  const int64_t threads = experiment.options().threads;
  const nlohmann::ordered_json json{{"logodds", LOGODDS_VERSION},
                                    {"commit", LOGODDS_COMMIT},
                                    {"build", LOGODDS_BUILD},
                                    {"libtorch", LOGODDS_LIBTORCH},
                                    {"device", experiment.options().device},
                                    {"threads", threads > 0 ? threads : at::get_num_threads()},
                                    {"cpu", at::get_cpu_capability()},
                                    {"processor", processor()},
                                    {"host", host()},
                                    {"started", now()},
                                    {"command_line", command_line}};
  return json.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

/// Names of what `create` writes before config.yaml.
bool is_of_creation(const fs::directory_entry& entry) {
  const std::string name = entry.path().filename().string();
  std::error_code error;
  if (name == "checkpoints") return fs::is_directory(entry, error) && fs::is_empty(entry, error);
  for (const char* of : {"lock", "provenance.json", "manifest.json", "metrics.jsonl"}) {
    if (name == of || name == std::string(of) + ".partial") return true;
  }
  return name == "config.yaml.partial";
}

}  // namespace

void RunDirectory::refuse_existing(const fs::path& path) {
  std::error_code error;
  if (!fs::exists(path, error)) return;
  bool nothing = fs::is_directory(path, error);
  if (nothing) {
    for (const auto& entry : fs::directory_iterator(path, error)) nothing = nothing && is_of_creation(entry);
  }
  if (nothing && !error) return;
  throw io_error(path.string() + ": exists already; continue it with --resume or choose another place with --out DIR");
}

std::unique_ptr<LockFile> RunDirectory::lock(const fs::path& path, std::chrono::milliseconds patience) {
  make_directories(path);
  return std::make_unique<LockFile>(path / "lock", path.string(), patience);
}

RunDirectory RunDirectory::create(const fs::path& path, const Experiment& experiment, const std::string& command_line) {
  refuse_existing(path);
  make_directories(path / "checkpoints");
  const std::string config = experiment.resolved();
  Manifest manifest;
  manifest.add("config.yaml", config);
  manifest.put(path, "provenance.json", provenance(experiment, command_line));
  write_file_atomically(path / "metrics.jsonl", "");
  manifest.write(path);
  write_file_atomically(path / "config.yaml", config);
  const fs::path above = fs::absolute(path).parent_path();
  sync_directory(above);
  return RunDirectory(path);
}

RunDirectory RunDirectory::open(const fs::path& path) {
  if (!fs::exists(path / "config.yaml")) {
    throw io_error(path.string() + ": is not a run directory (it has no config.yaml)");
  }
  return RunDirectory(path);
}

RunDirectory RunDirectory::without_configuration(const fs::path& path) {
  make_directories(path);
  return RunDirectory(path);
}

void RunDirectory::refuse_damage() const {
  if (!fs::exists(path_ / "manifest.json")) return;  // of a run that an earlier version began
  const auto found = manifest_problems(path_);
  if (!found.empty()) throw io_error(found.front() + "; a run is continued only as it began");
}

std::optional<Checkpoint> RunDirectory::newest_checkpoint() const {
  if (checkpoints().named().empty()) {
    spdlog::warn("{} has no checkpoint yet: it begins again", path_.string());
    return std::nullopt;
  }
  return checkpoints().load_newest([this](const Checkpoint& checkpoint) {
    const std::string stated = checkpoint.numbers.value("metrics_sha256", "");  // earlier versions state none
    const auto bytes = checkpoint.numbers.value("metrics_bytes", uint64_t{0});
    const std::string found = metrics_sha256(metrics_path(), bytes);
    if (stated.empty() || stated == found) return;
    throw io_error(metrics_path().string() + ": is damaged before byte " + std::to_string(bytes) +
                   ": its SHA-256 is not the one in checkpoint " + std::to_string(checkpoint.step));
  });
}

void RunDirectory::save_divergence(const Divergence& divergence, const std::string& label) const {
  const fs::path folder = path_ / "diverged" / ("run-" + std::to_string(divergence.run));
  make_directories(folder);
  const nlohmann::ordered_json json{{"step", divergence.step},     {"run", divergence.run},
                                    {"seed", divergence.seed},     {"label", label},
                                    {"tensor", divergence.tensor}, {"message", divergence.message}};
  Manifest manifest;
  manifest.put(folder, "weights.safetensors", to_safetensors(divergence.weights, {{"format", "pt"}}));
  if (!divergence.batch.empty()) manifest.put(folder, "batch.safetensors", to_safetensors(divergence.batch));
  manifest.put(folder, "divergence.json", json.dump(1) + "\n");
  manifest.write(folder);
}

bool RunDirectory::diverged(const fs::path& path, size_t run) {
  return fs::exists(path / "diverged" / ("run-" + std::to_string(run)) / "manifest.json");
}

void RunDirectory::refuse_other_configuration(const Experiment& experiment) const {
  std::istringstream stored(this->experiment().resolved()), given(experiment.resolved());
  std::string a, b;
  while (true) {
    const bool more_stored = static_cast<bool>(std::getline(stored, a)),
               more_given = static_cast<bool>(std::getline(given, b));
    if (!more_stored && !more_given) return;
    const bool steps = a.starts_with("  steps:") && b.starts_with("  steps:");
    if (more_stored != more_given || (a != b && !steps)) {
      throw Error((path_ / "config.yaml").string() + ": the run was started with another configuration: there '" +
                  (more_stored ? a : "(end)") + "', now '" + (more_given ? b : "(end)") +
                  "'; only training.steps may change on --resume");
    }
  }
}

}  // namespace logodds
