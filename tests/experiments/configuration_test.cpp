#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "core/error.h"
#include "core/files.h"
#include "experiments/experiment.h"
#include "experiments/sweep.h"
#include "tests/temporary_directory.h"

namespace logodds {
namespace {

/// Reads and assembles a configuration as `logodds train` does; the message of the error, with the path cut to
/// "f.yaml".
std::string error_of(const std::string& text, const std::vector<std::string>& overrides = {}) {
  const TemporaryDirectory directory;
  const std::string path = (directory / "f.yaml").string();
  write_file_atomically(path, text);
  try {
    Experiment::from_file(path, overrides).assemble();
    return "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::usage);
    std::string message = error.what();
    for (size_t at = message.find(path); at != std::string::npos; at = message.find(path)) {
      message.replace(at, path.size(), "f.yaml");
    }
    return message;
  }
}

const std::string kGood = "task: {kind: modular_addition, p: 11}\nmodel: {kind: mlp, d_embed: 4, hidden: [8]}\n";

struct Case {
  const char* name;
  std::string text;
  std::string message;
};

TEST(Configuration, EachBrokenFileHasItsExactMessage) {
  const std::vector<Case> cases{
      {"missing components", "seed: 1\n",
       "f.yaml:1:1: 'task' is missing; it must name one of tasks (modular_addition, group, mnist, forecasters, "
       "router, majority, halfspace)\n"
       "f.yaml:1:1: 'model' is missing; it must name one of models (transformer, mlp, forecaster_ensemble, cnn)"},
      {"empty file", "",
       "f.yaml:1:1: 'task' is missing; it must name one of tasks (modular_addition, group, mnist, forecasters, "
       "router, majority, halfspace)\n"
       "f.yaml:1:1: 'model' is missing; it must name one of models (transformer, mlp, forecaster_ensemble, cnn)"},
      {"misspelt section", kGood + "optimiser: {weight_decay: 1}\n",
       "f.yaml:3:1: unknown key 'optimiser' in the configuration (did you mean 'optimizer'?)"},
      {"misspelt key", kGood + "optimizer: {wieght_decay: 1}\n",
       "f.yaml:3:13: unknown key 'wieght_decay' in 'optimizer' (did you mean 'weight_decay'?)"},
      {"misspelt component", "task: modular_adition\nmodel: mlp\n",
       "f.yaml:1:7: 'task' must name one of tasks, not 'modular_adition' (did you mean 'modular_addition'?)"},
      {"out of range", "task: {kind: modular_addition, p: 1, train_fraction: 1.5}\nmodel: mlp\n",
       "f.yaml:1:35: 'task.p' must be a whole number in [2, 512], not '1'\n"
       "f.yaml:1:54: 'task.train_fraction' must be a number in (0, 1], not '1.5'"},
      {"not finite", kGood + "optimizer: {learning_rate: .inf}\n",
       "f.yaml:3:28: 'optimizer.learning_rate' must be a number at least 0, not '.inf'"},
      {"octal-looking", kGood + "seed: 010\n",
       "f.yaml:3:7: 'seed' must be a whole number in [0, 9007199254740992], not '010'"},
      {"quoted number", kGood + "seed: \"1\"\n",
       "f.yaml:3:7: 'seed' must be a whole number in [0, 9007199254740992], not the text \"1\""},
      {"duplicate key", kGood + "seed: 1\nseed: 2\n", "f.yaml:4:1: key 'seed' stands twice, first at line 3"},
      {"merge key", kGood + "training: {<<: {steps: 3}}\n",
       "f.yaml:3:12: unknown key '<<' in 'training' (one of: steps, batch_size, evaluate_every_steps, "
       "checkpoint_every_steps, "
       "keep_last_checkpoints, keep_every_steps)"},
      {"alias", kGood + "hooks: *h\n", "f.yaml:3:8: not valid YAML: the referenced anchor is not defined"},
      {"recursive alias", "task: &t [*t]\n", "f.yaml:1:7: anchors are not supported ('&t'); write the value out"},
      {"second document", kGood + "---\nseed: 1\n",
       "f.yaml:4:1: a second document begins here; a configuration has one"},
      {"list instead of map", "[task, model]\n", "f.yaml:1:1: a configuration is a map of keys, this is a list"},
      {"unclosed", "task: {kind: modular_addition\n", "f.yaml:2:1: not valid YAML: end of map flow not found"},
      {"unknown choice", "task: {kind: modular_addition, operation: addition}\nmodel: mlp\n",
       "f.yaml:1:43: 'task.operation' must be one of add, subtract, multiply, divide, x2_xy_y2, random, not "
       "'addition'"},
      {"heads do not divide", "task: modular_addition\nmodel: {kind: transformer, d_model: 10, heads: 4}\n",
       "f.yaml:2:15: transformer: 'd_model' (10) must be a multiple of 'heads' (4)"},
      {"division by a composite", "task: {kind: modular_addition, p: 12, operation: divide}\nmodel: mlp\n",
       "f.yaml:1:14: modular_addition: division needs a prime 'p', and 12 is not one"},
      {"unknown axis", kGood + "runs: {wieght_decay: [0, 1]}\n",
       "f.yaml:3:23: 'runs.wieght_decay' is not a key that can differ between runs (did you mean 'weight_decay'?)"},
      {"axis without a list", kGood + "runs: {seed: 4}\n",
       "f.yaml:3:14: 'runs.seed' must be a list with at least one value, not '4'"},
      {"too many runs",
       kGood + "runs: {seed: [0,1,2,3,4,5,6,7,8,9], weight_decay: [0,1,2,3,4,5,6,7,8,9], learning_rate: "
               "[0,1,2,3,4,5,6,7,8,9], init_scale: [0,1,2,3,4,5,6,7,8,9]}\n",
       "f.yaml:3:7: 'runs' makes 10000 runs; a pack has at most 4096"},
      {"path in a name", kGood + "name: ../../etc\n",
       "f.yaml:3:7: 'name' must be letters, digits, '-', '_' and '.', not '../../etc'"},
      {"tf32 on a CPU", kGood + "tf32: true\n",
       "f.yaml:3:7: 'tf32: true' needs 'device: cuda'; a CPU computes in full float32"},
      {"hook off the grid", kGood + "training: {evaluate_every_steps: 30}\nhooks: {weight_norms: {every_steps: 100}}\n",
       "hooks.weight_norms.every_steps (100) must be a multiple of training.evaluate_every_steps (30)"},
  };
  for (const auto& [name, text, message] : cases) EXPECT_EQ(error_of(text), message) << name;
}

TEST(Configuration, AGpuThatIsNotThereIsAnError) {
  if (at::hasCUDA()) GTEST_SKIP() << "there is a GPU";
  EXPECT_EQ(error_of(kGood, {"device=cuda"}),
            "device: cuda was asked for, but this program was built without --cuda or finds no GPU; write device: cpu");
}

TEST(Configuration, OverridesAreReportedAsTheCommandLine) {
  EXPECT_EQ(error_of(kGood, {"model.hiden=[3]"}),
            "command line 'model.hiden=[3]': unknown key 'hiden' in 'model' (did you mean 'hidden'?)");
  EXPECT_EQ(error_of(kGood, {"seed=-1"}),
            "command line 'seed=-1': 'seed' must be a whole number in [0, 9007199254740992], not '-1'");
}

TEST(Configuration, EveryShippedConfigurationAssemblesAndItsResolvedFormIsTheSame) {
  size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(LOGODDS_CONFIGS)) {
    if (read_yaml_file(entry.path().string()).find("sweep") != nullptr) {
      EXPECT_GT(Sweep::from_file(entry.path().string()).run_count(), 1u) << entry.path();  // builds every component
      continue;
    }
    const Experiment experiment = Experiment::from_file(entry.path().string());
    EXPECT_GT(experiment.assemble().parameters.count(), 0);
    const Node resolved = parse_yaml(experiment.resolved(), "resolved");
    EXPECT_EQ(Experiment::from_yaml(resolved, "other").resolved(), experiment.resolved()) << entry.path();
    ++count;
  }
  EXPECT_GE(count, 2u);
}

TEST(Configuration, RunsAreTheProductOfTheAxesAndReachTheComponents) {
  const TemporaryDirectory directory;
  write_file_atomically(directory / "f.yaml", kGood + "runs: {seed: [3, 4], weight_decay: [1, 0]}\n");
  const Experiment experiment = Experiment::from_file((directory / "f.yaml").string());
  EXPECT_EQ(experiment.run_count(), 4u);
  EXPECT_EQ(experiment.seeds(), (std::vector<int64_t>{3, 3, 4, 4}));
  EXPECT_EQ(experiment.run_label(1), "seed 3, weight_decay 0");
  EXPECT_EQ(experiment.assemble().parameters.runs(), 4);
}

}  // namespace
}  // namespace logodds
