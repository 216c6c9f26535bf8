#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "core/files.h"
#include "tests/temporary_directory.h"

namespace logodds {

inline const std::string kConfig =
    "task: {kind: modular_addition, p: 11, train_fraction: 0.5}\n"
    "model: {kind: transformer, d_model: 16, heads: 2, d_mlp: 32}\n"
    "schedule: warmup\n"
    "runs: {seed: [0, 1], weight_decay: [1, 0]}\n"
    "training: {steps: 30, evaluate_every_steps: 10, checkpoint_every_steps: 10}\n"
    "hooks: {logit_decomposition: {every_steps: 10}, logit_bloat: {every_steps: 10}, weight_norms: {every_steps: "
    "10}}\n";

/// A directory with config c.yaml, in which commands are run.
class Program : public testing::Test {
 protected:
  Program() { write_file_atomically(directory / "c.yaml", kConfig); }

  /// Runs `logodds ARGUMENTS`; the exit code as a shell shows it.
  int run(const std::string& arguments) { return shell(std::string(LOGODDS_PROGRAM) + " " + arguments); }

  /// The same, with a signal sent once the run directory's metrics hold something.
  int run_until_signal(const std::string& arguments, const std::string& signal, const std::string& run_directory) {
    return shell("sh -c '" + std::string(LOGODDS_PROGRAM) + " " + arguments + " & while [ ! -s " + run_directory +
                 "/metrics.jsonl ]; do sleep 0.05; done; kill -" + signal + " $!; wait $!'");
  }

  int shell(const std::string& words) {
    const std::string command = "cd " + (directory / "").string() + " && " + words + " >out 2>err";
    const int status = std::system(command.c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  std::string out() { return read_file(directory / "out"); }
  std::string err() { return read_file(directory / "err"); }
  bool exists(const std::string& name) { return std::filesystem::exists(directory / name); }

  TemporaryDirectory directory;
};

}  // namespace logodds
