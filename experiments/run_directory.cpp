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

}  // namespace

RunDirectory RunDirectory::create(const fs::path& path, const Experiment& experiment, const std::string& command_line) {
  std::error_code error;
  if (fs::exists(path, error) && !(fs::is_directory(path, error) && fs::is_empty(path, error))) {
    throw io_error(path.string() +
                   ": exists already; continue it with --resume or choose another place with --out DIR");
  }
  fs::create_directories(path / "checkpoints", error);
  if (error) throw io_error(path.string() + ": cannot create directory: " + error.message());
  write_file_atomically(path / "provenance.json", provenance(experiment, command_line));
  write_file_atomically(path / "metrics.jsonl", "");
  write_file_atomically(path / "config.yaml", experiment.resolved());
  return RunDirectory(path);
}

RunDirectory RunDirectory::open(const fs::path& path) {
  if (!fs::exists(path / "config.yaml")) {
    throw io_error(path.string() + ": is not a run directory (it has no config.yaml)");
  }
  return RunDirectory(path);
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
