#include "tests/fuzz/targets.h"

#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "core/files.h"
#include "core/idx.h"
#include "core/metrics.h"
#include "core/safetensors.h"
#include "core/yaml.h"
#include "experiments/commands/commands.h"
#include "experiments/program.h"
#include "experiments/published.h"
#include "experiments/slurm.h"
#include "experiments/sweep.h"
#include "experiments/weights_file.h"
#include "training/tasks/group.h"
#include "training/tasks/modular_addition.h"

namespace logodds {

namespace {

namespace fs = std::filesystem;

/// A property that every input has to keep.
void hold(bool held, const char* what) {
  if (!held) throw std::logic_error(what);
}

bool same(const Node& a, const Node& b) {
  bool equal = a.kind == b.kind && a.value == b.value && a.items.size() == b.items.size() &&
               a.entries.size() == b.entries.size();
  for (size_t i = 0; equal && i < a.items.size(); ++i) equal = same(a.items[i], b.items[i]);
  for (size_t i = 0; equal && i < a.entries.size(); ++i)
    equal = a.entries[i].first == b.entries[i].first && same(a.entries[i].second, b.entries[i].second);
  return equal;
}

void read_yaml(const std::string& input) {
  const Node root = parse_yaml(input, "f");
  hold(same(parse_yaml(to_yaml(root), "f"), root), "YAML that was written reads back as something else");
}

void resolve(const Node& root) {
  const std::string resolved = Experiment::from_yaml(root, "f").resolved();
  hold(Experiment::from_yaml(parse_yaml(resolved, "f"), "f").resolved() == resolved,
       "a resolved configuration reads back as something else");
}

const std::string kConfiguration =
    "task: {kind: modular_addition, p: 5}\nmodel: {kind: mlp, d_embed: 2, hidden: [3]}\nruns: {seed: [0, 1]}\n"
    "training: {steps: 2, evaluate_every_steps: 1, checkpoint_every_steps: 1}\nthreads: 1\n"
    "hooks: {logit_decomposition: {every_steps: 1}, logit_bloat: {every_steps: 1}}\n";

/// A line per assignment of the command line.
void read_overrides(const std::string& input) {
  Node root = parse_yaml(kConfiguration, "f");
  std::istringstream lines(input);
  for (std::string line; std::getline(lines, line);) apply_override(root, line);
  resolve(root);
}

/// Whether a text asks for nothing large: no number of more than two digits, no power of ten.
bool is_modest(const std::string& text) {
  size_t digits = 0;
  for (const char c : text) {
    const bool power = digits > 0 && (c == 'e' || c == 'E');
    digits = c >= '0' && c <= '9' ? digits + 1 : 0;
    if (power || digits > 2) return false;
  }
  return true;
}

void read_sweep(const std::string& input) {
  if (!is_modest(input)) return;
  const Sweep sweep = Sweep::from_yaml(parse_yaml(input, "f"), "f");
  const Sweep again = Sweep::from_yaml(parse_yaml(sweep.resolved(), "f"), "f");
  hold(again.resolved() == sweep.resolved() && again.run_count() == sweep.run_count(),
       "a resolved sweep reads back as something else");
  for (const auto& pack : sweep.packs()) hold(fs::path(pack.name).filename() == pack.name, "a directory elsewhere");
}

void read_idx_file(const std::string& input) {
  for (const int64_t dimensions : {1, 3}) {
    try {
      const Tensor entries = read_idx(input, dimensions, "f");
      hold(entries.dim() == dimensions, "other dimensions than were asked for");
      const bool packed = input[0] != 0;
      hold(packed || entries.numel() + 4 + 4 * dimensions == static_cast<int64_t>(input.size()), "bytes were left");
    } catch (const Error&) {
      if (dimensions == 3) throw;
    }
  }
}

/// Writes the input to a file and has it read.
std::function<void(const std::string&)> from_file(std::function<void(const std::string& path)> read,
                                                  const std::string& name = "input") {
  return [read = std::move(read), name](const std::string& input) {
    std::ofstream(name, std::ios::binary | std::ios::trunc) << input;
    read(name);
  };
}

void read_table(const std::string& path) {
  GroupTask::Options options;
  options.table = path;
  const GroupTask task(options);
  hold(task.shape().classes > 0, "a group without elements");
}

void read_entry(const std::string& path) {
  for (const auto& setting : read_published(path).settings) {
    hold(fs::path(setting.name).filename() == setting.name && setting.name[0] != '.', "a directory elsewhere");
  }
}

std::vector<std::string> words_of(const std::string& input) {
  std::vector<std::string> words;
  std::istringstream lines(input.substr(0, input.find('\0')));
  for (std::string line; std::getline(lines, line);) words.push_back(line);
  return words;
}

/// Standard output and error go nowhere while it lives.
class Silence {
 public:
  Silence() : out_(::dup(1)), error_(::dup(2)) {
    const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    ::dup2(nowhere, 1);
    ::dup2(nowhere, 2);
    ::close(nowhere);
  }
  ~Silence() {
    std::cout.flush();
    std::fflush(stdout);
    ::dup2(out_, 1);
    ::dup2(error_, 2);
    ::close(out_);
    ::close(error_);
  }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;

 private:
  int out_, error_;
};

/// A line per argument: understood or refused, not carried out. Each is also read as what an option may hold.
void read_arguments(const std::string& input) {
  CLI::App app("logodds", "logodds");
  int exit_code = 0;
  add_commands(app, "", exit_code);
  struct Understood {};
  for (auto* command : app.get_subcommands({})) command->parse_complete_callback([] { throw Understood(); });
  auto words = words_of(input);
  for (const auto& word : words) {
    for (const auto& reader :
         {std::function<void()>([&] { parse_input(word); }), {[&] { read_slurm_options(word); }}}) {
      try {
        reader();
      } catch (const Error&) {
      }
    }
  }
  std::ranges::reverse(words);  // CLI11 takes them from the end
  try {
    app.parse(words);
  } catch (const Understood&) {
  } catch (const CLI::ParseError& error) {
    const Silence silence;
    app.exit(error);
  }
}

/// Runs `logodds WORDS` in this process; only what an honest program may end with is accepted.
void run(const std::vector<std::string>& words) {
  std::vector<const char*> argv{"logodds"};
  for (const auto& word : words) argv.push_back(word.c_str());
  int code = 0;
  {
    const Silence silence;
    code = run_program(static_cast<int>(argv.size()), argv.data());
  }
  hold(code != static_cast<int>(ExitCode::internal), "an internal error");
}

/// A file of a run directory, its name in the first line, replaced by the rest; then the commands that read it.
void read_run(const std::string& input) {
  const size_t end = input.find('\n');
  const fs::path file = fs::path("run") / input.substr(0, end);
  std::error_code absent;
  if (end == std::string::npos || !fs::is_regular_file(file, absent)) return;
  const std::string good = read_file(file);
  if (file.extension() == ".yaml" && !is_modest(input)) return;
  std::ofstream(file, std::ios::binary | std::ios::trunc) << input.substr(end + 1);
  const auto restore = [&] { std::ofstream(file, std::ios::binary | std::ios::trunc) << good; };
  try {
    run({"plot", "run"});
    run({"table", "run", "--vectors"});
    run({"inspect", "run", "--json"});
    run({"report", "run", "-o", "report.html"});
  } catch (...) {
    restore();
    throw;
  }
  restore();
}

std::vector<std::string> files_of_a_run() {
  write_file_atomically("c.yaml", kConfiguration);
  run({"train", "c.yaml", "--out", "run"});
  std::vector<std::string> seeds;
  for (const auto& entry : fs::recursive_directory_iterator("run")) {
    if (entry.is_regular_file())
      seeds.push_back(fs::relative(entry.path(), "run").string() + "\n" + read_file(entry.path()));
  }
  return seeds;
}

std::vector<std::string> shipped(const char* folder) {
  std::vector<std::string> texts;
  for (const auto& entry : fs::directory_iterator(fs::path(LOGODDS_CONFIGS).parent_path() / folder)) {
    texts.push_back(read_file(entry.path()));
  }
  std::ranges::sort(texts);
  return texts;
}

/// "k0: 1", "k1: 1", … : long ones are made, not kept.
std::string many_keys(const std::string& before, size_t count) {
  std::string text = before;
  for (size_t i = 0; i < count; ++i) text += "k" + std::to_string(i) + ": 1\n";
  return text;
}

std::string many_levels(size_t count) {
  std::string key = "a";
  for (size_t i = 0; i < count; ++i) key += ".a";
  return key + "=1";
}

}  // namespace

std::vector<FuzzTarget> fuzz_targets() {
  const auto pairs = std::make_shared<ModularAddition>(ModularAddition::Options{.p = 11});
  constexpr size_t kMega = 1 << 20;
  // A value of YAML takes a few hundred bytes, one of JSON some tens, in vectors that double. gzip packs up to 1032
  // : 1.
  return {
      {"yaml", 200, read_yaml, kMega, 2048, shipped("configs"), {many_keys("", 45000)}},
      {"configuration",
       150,
       [](const std::string& input) { resolve(parse_yaml(input, "f")); },
       kMega,
       4096,
       shipped("configs"),
       {many_keys("task: modular_addition\nmodel: mlp\n", 30000)}},
      {"override", 100, read_overrides, kMega, 4096, {}, {many_levels(40000)}},
      {"sweep", 3, read_sweep, 64 * kMega, 4096, {}, {}},
      {"safetensors", 150, [](const std::string& input) { from_safetensors(input, "f"); }, kMega, 128, {}, {}},
      {"idx", 150, read_idx_file, kMega, 1040, {}, {}},
      {"cayley", 60, from_file(read_table), 4 * kMega, 64, {}, {}},
      {"split", 60, from_file([pairs](const std::string& path) { read_split(path, *pairs); }), kMega, 64, {}, {}},
      {"digests", 20, from_file([](const std::string& path) { read_digests(path); }), kMega, 128, {}, {}},
      {"metrics", 80, from_file([](const std::string& path) { read_metrics(path); }), kMega, 256, {}, {}},
      {"arguments", 20, read_arguments, 8 * kMega, 256, {}, {}},
      {"published", 6, from_file(read_entry, "input.yaml"), 16 * kMega, 4096, shipped("published"), {}},
      {"run", 1, read_run, 256 * kMega, 4096, files_of_a_run(), {}},
  };
}

}  // namespace logodds
