#include "experiments/slurm.h"

#include <spdlog/fmt/fmt.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <sstream>

#include "core/error.h"
#include "core/files.h"
#include "core/text.h"
#include "experiments/workers.h"

namespace logodds {

namespace fs = std::filesystem;

namespace {

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> words;
  std::istringstream stream(text);
  for (std::string word; std::getline(stream, word, separator);) {
    if (!word.empty() || separator != ' ') words.push_back(word);
  }
  return words;
}

/// Slurm's ways to write a time: minutes, minutes:seconds, hours:minutes:seconds, days-hours, days-hours:minutes,
/// days-hours:minutes:seconds.
int64_t read_time(const std::string& text) {
  const size_t dash = text.find('-');
  const auto words = split(dash == std::string::npos ? text : text.substr(dash + 1), ':');
  std::vector<int64_t> parts;
  bool good = !words.empty() && words.size() <= 3;
  const auto add = [&](const std::string& word) {
    good = good && !word.empty() && word.size() < 10 && word.find_first_not_of("0123456789") == std::string::npos;
    parts.push_back(good ? std::stoll(word) : 0);
  };
  if (dash != std::string::npos) add(text.substr(0, dash));
  for (const auto& word : words) add(word);
  if (!good) {
    throw Error("--slurm: '" + text + "' is no time limit; write minutes, hours:minutes:seconds or days-hours:minutes");
  }
  const size_t given = words.size();
  parts.resize(4, 0);
  if (dash != std::string::npos) return parts[0] * 86400 + parts[1] * 3600 + parts[2] * 60 + parts[3];
  if (given == 3) return parts[0] * 3600 + parts[1] * 60 + parts[2];
  return parts[0] * 60 + parts[1];
}

/// A word for a shell, whatever is in it.
std::string shell_word(const std::string& word) {
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

std::string header(const std::string& job, const std::string& log, const SlurmOptions& options) {
  return "#!/bin/bash\n#SBATCH --job-name=" + job + " --open-mode=append --output=" + log + "\n#SBATCH " +
         options.text + "\n";
}

std::string change_directory() { return "cd " + shell_word(fs::current_path().string()) + " || exit 4\n"; }

std::string program() { return shell_word(fs::read_symlink("/proc/self/exe").string()); }

/// Runs a command of Slurm and returns its output without the line's end.
std::string output_of(const std::string& command) {
  FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) throw io_error("cannot start a shell for: " + command);
  std::string text;
  std::array<char, 4096> buffer;
  for (size_t got; (got = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) text.append(buffer.data(), got);
  const int status = ::pclose(pipe);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  if (status != 0) throw io_error("'" + command + "' failed: " + (text.empty() ? "no message" : text));
  return text;
}

/// The number of the job that a script became.
std::string submitted(const std::string& command) {
  const std::string text = output_of(command);
  const std::string id = text.substr(text.rfind('\n') + 1);  // warnings may stand before it
  return id.substr(0, id.find(';'));                         // behind it, the cluster's name
}

/// Seconds that all steps of one training would take, from those of its first seconds.
std::optional<double> measure(const SweepPack& pack, const fs::path& scratch) {
  using Clock = std::chrono::steady_clock;
  const fs::path path = scratch / pack.name;
  RunDirectory::create(path, pack.experiment, "");
  const SweepDirectory directory(scratch);
  const auto seconds = [start = Clock::now()] { return std::chrono::duration<double>(Clock::now() - start).count(); };
  Workers workers(1);
  workers.start(0, {"train", (path / "config.yaml").string(), "--resume"}, path / "log.txt", -1);
  while (true) {
    const auto ended = workers.wait(std::chrono::milliseconds(200));
    if (ended) return ended->exit_code == 0 ? std::optional(seconds()) : std::nullopt;
    const auto step = directory.last_step(pack).value_or(0);
    const auto steps = static_cast<double>(pack.experiment.options().training.steps);
    if (seconds() > 10 && step > 0) return seconds() * steps / static_cast<double>(step);
    if (seconds() > 120) return std::nullopt;
  }
}

}  // namespace

SlurmOptions read_slurm_options(const std::string& text) {
  SlurmOptions options{.text = text};
  const auto words = split(text, ' ');
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    const auto value = [&](const std::string& name, const std::string& letter) -> std::optional<std::string> {
      if (word.starts_with(name + "=")) return word.substr(name.size() + 1);
      if (word == name || word == letter) return i + 1 < words.size() ? words[i + 1] : "";
      if (word.starts_with(letter) && word.size() > 2 && word[1] != '-') return word.substr(2);
      return std::nullopt;
    };
    for (const char* own : {"--array", "--signal", "--dependency", "--requeue", "--no-requeue", "--wait"}) {
      if (word.starts_with(own) && word.substr(0, word.find('=')) == own) {
        throw Error("--slurm: '" + word + "' is set by the sweep itself; leave it out");
      }
    }
    if (const auto time = value("--time", "-t")) {
      options.limit_seconds = read_time(*time);
      if (options.limit_seconds == 0) throw Error("--slurm: a time limit of 0 leaves nothing to plan with; name one");
    }
    if (const auto cpus = value("--cpus-per-task", "-c")) {
      const auto count = parse_integer(*cpus);
      if (!count || *count < 1) throw Error("--slurm: '" + *cpus + "' is no number of CPUs");
      options.cpus_per_task = *count;
    }
  }
  if (options.limit_seconds == 0) {
    options.text += (text.empty() ? "" : " ") + std::string("--time=60");
    options.limit_seconds = 3600;
  }
  return options;
}

std::optional<double> measure_training(const Sweep& sweep, const SweepDirectory& directory) {
  std::vector<SweepPack> left;
  for (const auto& pack : sweep.packs()) {
    const auto state = directory.state(pack);
    if (state != SweepDirectory::State::finished && state != SweepDirectory::State::diverged) left.push_back(pack);
  }
  if (left.empty()) return 0.0;
  std::string scratch = (fs::temp_directory_path() / "logodds-measure-XXXXXX").string();
  if (::mkdtemp(scratch.data()) == nullptr) throw io_error(scratch + ": cannot create");
  auto seconds = measure(left.front(), scratch);
  if (seconds && left.size() > 1) {
    const auto last = measure(left.back(), scratch);
    seconds = last ? std::optional(std::max(*seconds, *last)) : std::nullopt;
  }
  std::error_code ignored;
  fs::remove_all(scratch, ignored);
  return seconds;
}

size_t array_tasks(size_t trainings, double seconds, int64_t limit_seconds, size_t workers) {
  constexpr size_t kMostTasks = 1000;  // Slurm's default for the size of an array
  const double fit = std::floor(0.8 * static_cast<double>(limit_seconds) / std::max(seconds, 1e-3));
  const double each = std::max(1.0, fit) * static_cast<double>(workers);
  const auto tasks = static_cast<size_t>(std::ceil(static_cast<double>(trainings) / each));
  return std::clamp<size_t>(tasks, 1, kMostTasks);
}

std::string array_script(const Sweep& sweep, const SweepDirectory& directory, const SlurmOptions& options, size_t tasks,
                         size_t workers) {
  const fs::path path = fs::absolute(directory.path());
  // Slurm may send the signal a minute early.
  const int64_t margin = options.limit_seconds <= 240 ? 30 : std::clamp<int64_t>(options.limit_seconds / 10, 60, 300);
  return header(sweep.name(), (path / "slurm/task-%a.log").string(), options) +
         fmt::format("#SBATCH --array=0-{} --requeue --signal=B:USR1@{}\n", tasks - 1, margin) +
         "# Task i trains every " + std::to_string(tasks) + "th training of the sweep, from the i-th on.\n" +
         change_directory() + program() + " sweep " + shell_word(path.string()) + " --shard \"$SLURM_ARRAY_TASK_ID/" +
         std::to_string(tasks) + "\" --workers " + std::to_string(workers) +
         " &\n"
         "sweep=$!\n"
         "# Near the time limit: save, then wait in the queue for another turn, which goes on from there.\n"
         "near_the_limit() {\n"
         "  kill -USR1 \"$sweep\"\n"
         "  sleep 5\n"
         "  scontrol requeue \"${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID\"\n"
         "}\n"
         "trap near_the_limit USR1\n"
         "trap 'kill -TERM \"$sweep\"' TERM\n"
         "while true; do\n"
         "  wait \"$sweep\"\n"
         "  code=$?\n"
         "  kill -0 \"$sweep\" 2>/dev/null || exit \"$code\"  # else a signal ended the waiting\n"
         "done\n";
}

std::string collect_script(const Sweep& sweep, const SweepDirectory& directory, const SlurmOptions& options) {
  const fs::path path = fs::absolute(directory.path());
  return header(sweep.name() + "-collect", (path / "slurm/collect.log").string(), options) +
         "#SBATCH --cpus-per-task=1\n" + change_directory() + "exec " + program() + " sweep " +
         shell_word(path.string()) + " --collect\n";
}

std::string submit(const Sweep& sweep, const SweepDirectory& directory, const SlurmOptions& options, size_t tasks,
                   size_t workers) {
  const fs::path folder = directory.path() / "slurm";
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw io_error(folder.string() + ": cannot create directory: " + error.message());
  write_file_atomically(folder / "array.sh", array_script(sweep, directory, options, tasks, workers));
  write_file_atomically(folder / "collect.sh", collect_script(sweep, directory, options));
  const std::string job = submitted("sbatch --parsable " + shell_word((folder / "array.sh").string()));
  submitted("sbatch --parsable --dependency=afterany:" + job + " " + shell_word((folder / "collect.sh").string()));
  return job;
}

}  // namespace logodds
