// Feeds every reader of what strangers may write with changed inputs, and prints what came of it.
//
//   logodds_fuzz --inputs 1000000            all targets by their shares: kept inputs as they are, then changed ones
//   logodds_fuzz --target yaml --show 17     the 17th changed input of a target, on standard output
//
// Input i of a target depends on i alone, so each can be made again. Ends with 1 where an input led to an exception
// that is no refusal, took more than a second of the processor, or more memory than is honest; a crash or an endless
// loop names its input and ends the process.

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <optional>
#include <set>

#include "core/error.h"
#include "core/files.h"
#include "core/log.h"
#include "tests/fuzz/heap.h"
#include "tests/fuzz/mutate.h"
#include "tests/fuzz/targets.h"
#include "tests/temporary_directory.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#endif

namespace logodds {
namespace {

namespace fs = std::filesystem;

constexpr double kMostSeconds = 1;
constexpr unsigned kHangSeconds = 60;

/// What is being read, for the last words of a process.
const char* target_name = "";
long long input_index = 0;
int report_descriptor = 2;

void say_which() {
  char line[128];
  const int length = std::snprintf(line, sizeof line, "logodds_fuzz: while reading: --target %s --show %lld\n",
                                   target_name, input_index);
  static_cast<void>(!::write(report_descriptor, line, static_cast<size_t>(length)));
}

void on_end(int signal) {
  say_which();
  ::_exit(128 + signal);
}

double processor_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

std::vector<std::string> corpus(const FuzzTarget& target) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(fs::path(LOGODDS_CORPUS) / target.name))
    files.push_back(entry.path());
  std::ranges::sort(files);
  std::vector<std::string> seeds;
  for (const auto& file : files) seeds.push_back(read_file(file));
  seeds.insert(seeds.end(), target.seeds.begin(), target.seeds.end());
  return seeds;
}

/// Input `index`: below 0 a kept or long one as it is, else a kept one changed.
std::string make_input(const std::vector<std::string>& seeds, const FuzzTarget& target, int64_t index) {
  const auto kept = static_cast<size_t>(-index - 1);
  if (index < 0) return kept < seeds.size() ? seeds[kept] : target.once.at(kept - seeds.size());
  std::seed_seq sequence(target.name.begin(), target.name.end());
  std::vector<uint32_t> words(1);
  sequence.generate(words.begin(), words.end());
  std::mt19937_64 random((uint64_t{words[0]} << 32) + static_cast<uint64_t>(index));
  std::string input = seeds[random() % seeds.size()];
  mutate(input, seeds, random);
  return input;
}

struct Outcome {
  int64_t inputs = 0, refused = 0, defects = 0;
  double seconds = 0, slowest_seconds = 0;
  int64_t slowest = 0, largest = 0;  ///< inputs
  size_t most_bytes = 0;
};

void blame(const FuzzTarget& target, int64_t index, Outcome& outcome, const std::string& defect) {
  ++outcome.defects;
  std::fprintf(stderr, "DEFECT --target %s --show %lld: %s\n", target.name.c_str(), static_cast<long long>(index),
               printable(defect).c_str());
}

void feed(const FuzzTarget& target, int64_t index, const std::string& input, Outcome& outcome) {
  input_index = index;
  ::alarm(kHangSeconds);
  std::string defect;
  const double begin = processor_seconds();
  watch_heap();
  try {
    target.read(input);
  } catch (const Error& error) {
    ++outcome.refused;
    if (error.code() == ExitCode::internal) defect = error.what();
  } catch (const std::exception& error) {
    defect = error.what();
  }
  const size_t bytes = heap_peak(), allowed = target.fixed + target.per_byte * input.size();
  const double seconds = processor_seconds() - begin;
  ++outcome.inputs;
  outcome.seconds += seconds;
  if (seconds > outcome.slowest_seconds) outcome.slowest_seconds = seconds, outcome.slowest = index;
  if (bytes > outcome.most_bytes) outcome.most_bytes = bytes, outcome.largest = index;
  if (!defect.empty()) blame(target, index, outcome, defect);
  if (seconds > kMostSeconds) blame(target, index, outcome, "took " + std::to_string(seconds) + " s");
  if (bytes > allowed) {
    blame(target, index, outcome,
          "took " + std::to_string(bytes) + " bytes for an input of " + std::to_string(input.size()));
  }
}

std::set<std::string> entries(const fs::path& directory) {
  std::set<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) names.insert(entry.path().string());
  return names;
}

Outcome run_target(const FuzzTarget& target, int64_t inputs) {
  target_name = target.name.c_str();
  const auto seeds = corpus(target);
  Outcome outcome;
  const auto kept = static_cast<int64_t>(seeds.size() + target.once.size());
  for (int64_t i = -1; i >= -kept; --i) feed(target, i, make_input(seeds, target, i), outcome);
  for (int64_t i = 0; i < inputs; ++i) feed(target, i, make_input(seeds, target, i), outcome);
  ::alarm(0);
  return outcome;
}

int run_all(const std::string& only, int64_t inputs, const fs::path& place) {
  std::printf("%-14s %8s %8s %8s %9s %15s %16s %8s\n", "target", "inputs", "refused", "defects", "CPU s",
              "slowest input", "most memory", "");
  int64_t all = 0, defects = 0;
  for (const auto& target : fuzz_targets()) {
    if (!only.empty() && target.name != only) continue;
    const int64_t share = only.empty() ? inputs * target.share / 1000 : inputs;
    const Outcome outcome = run_target(target, share);
    std::printf("%-14s %8lld %8lld %8lld %9.1f %8.0f ms %12.1f MB   --show %lld, %lld\n", target.name.c_str(),
                static_cast<long long>(outcome.inputs), static_cast<long long>(outcome.refused),
                static_cast<long long>(outcome.defects), outcome.seconds, 1e3 * outcome.slowest_seconds,
                1e-6 * static_cast<double>(outcome.most_bytes), static_cast<long long>(outcome.slowest),
                static_cast<long long>(outcome.largest));
    std::fflush(stdout);
    all += outcome.inputs;
    defects += outcome.defects;
  }
  for (const auto& name : entries(place)) {
    if (name.starts_with((place / "inside").string())) continue;
    std::fprintf(stderr, "DEFECT: a file outside of the directory was written: %s\n", printable(name).c_str());
    ++defects;
  }
  std::printf("%lld inputs, %lld defects\n", static_cast<long long>(all), static_cast<long long>(defects));
  return defects == 0 && all > 0 ? 0 : 1;
}

int show(const std::string& name, int64_t index) {
  for (const auto& target : fuzz_targets()) {
    if (target.name != name) continue;
    const std::string input = make_input(corpus(target), target, index);
    std::fwrite(input.data(), 1, input.size(), stdout);
    return 0;
  }
  return 2;
}

int run_fuzz(int argc, char** argv) {
  CLI::App app("Feeds every reader with changed inputs.");
  int64_t inputs = 20000;
  std::string target;
  std::optional<int64_t> index;
  app.add_option("--inputs", inputs, "How many, of all targets")->take_last();
  app.add_option("--target", target, "Only this one");
  app.add_option("--show", index, "Print this input of the target, and read nothing");
  CLI11_PARSE(app, argc, argv);

  report_descriptor = ::dup(2);
  std::signal(SIGALRM, on_end);
#ifndef __SANITIZE_ADDRESS__
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGABRT}) std::signal(signal, on_end);
#else
  __sanitizer_set_report_fd(reinterpret_cast<void*>(static_cast<intptr_t>(report_descriptor)));
  __sanitizer_set_death_callback(say_which);
#endif
  const TemporaryDirectory place;
  fs::create_directories(place / "a/b/inside");
  fs::current_path(place / "a/b/inside");
  const int code = index ? show(target, *index) : run_all(target, inputs, place / "a/b");
  fs::current_path("/");
  return code;
}

}  // namespace
}  // namespace logodds

int main(int argc, char** argv) {
  logodds::set_up_log();
  return logodds::run_fuzz(argc, argv);
}
