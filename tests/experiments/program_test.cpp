// The program as a user runs it: exit codes, files, messages.

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "core/files.h"
#include "core/metrics.h"
#include "tests/temporary_directory.h"

namespace logodds {
namespace {

const std::string kConfig =
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

TEST_F(Program, TrainLeavesACompleteRunDirectory) {
  ASSERT_EQ(run("train c.yaml"), 0) << err();
  const auto rows = read_metrics(directory / "runs/c/metrics.jsonl");
  EXPECT_EQ(rows.size(), 4u * 4u);
  EXPECT_TRUE(rows[0].contains("logit_decomposition.restricted_loss_test"));
  EXPECT_TRUE(rows[0].contains("logit_bloat.radial_total_train"));
  EXPECT_TRUE(rows[0].contains("weight_norms.total"));
  const auto provenance = nlohmann::json::parse(read_file(directory / "runs/c/provenance.json"));
  for (const char* key : {"logodds", "commit", "libtorch", "device", "threads", "command_line"}) {
    EXPECT_TRUE(provenance.contains(key)) << key;
  }
  EXPECT_TRUE(exists("runs/c/checkpoints/00000030/manifest.json"));
  EXPECT_NE(err().find("step 30/30"), std::string::npos);
}

TEST_F(Program, ProfilePrintsWhereTheTimeWentAndChangesNothing) {
  ASSERT_EQ(run("train c.yaml --out plain"), 0) << err();
  EXPECT_EQ(out(), "");
  ASSERT_EQ(run("train c.yaml --out profiled --profile"), 0) << err();
  for (const char* part : {"30 steps", "fold", "tile step", "backward of the fold", "optimizer", "evaluation",
                           "hook logit_bloat", "writing metrics", "checkpoint", "the rest", "all"}) {
    EXPECT_NE(("\n" + out()).find(std::string("\n") + part + " "), std::string::npos) << part << out();
  }
  EXPECT_EQ(read_file(directory / "profiled/metrics.jsonl"), read_file(directory / "plain/metrics.jsonl"));
}

TEST_F(Program, AnExistingRunIsNeverOverwritten) {
  ASSERT_EQ(run("train c.yaml --out r training.steps=1"), 0);
  const std::string before = read_file(directory / "r/metrics.jsonl");
  EXPECT_EQ(run("train c.yaml --out r"), 4);
  EXPECT_EQ(err(), "r: exists already; continue it with --resume or choose another place with --out DIR\n");
  EXPECT_EQ(read_file(directory / "r/metrics.jsonl"), before);
}

TEST_F(Program, BadInputLeavesNoRunDirectory) {
  EXPECT_EQ(run("train c.yaml model.heads=3"), 2);
  EXPECT_EQ(run("train c.yaml task.p=no"), 2);
  EXPECT_EQ(run("train missing.yaml"), 4);
  EXPECT_EQ(err(), "missing.yaml: cannot open: No such file or directory\n");
  EXPECT_FALSE(exists("runs"));
}

TEST_F(Program, UsageErrorsExitWithTwo) {
  EXPECT_EQ(run("trian c.yaml"), 2);
  EXPECT_EQ(run("train"), 2);
  EXPECT_EQ(run("train c.yaml steps"), 2);
  EXPECT_EQ(run("list nothing"), 2);
  EXPECT_EQ(run("--help"), 0);
  EXPECT_EQ(run("--version"), 0);
}

TEST_F(Program, AResumedRunEqualsTheUninterruptedOneByteForByte) {
  ASSERT_EQ(run("train c.yaml --out whole"), 0);
  ASSERT_EQ(run("train c.yaml --out part training.steps=20"), 0);
  ASSERT_EQ(run("train c.yaml --out part --resume"), 0) << err();
  EXPECT_EQ(read_file(directory / "part/metrics.jsonl"), read_file(directory / "whole/metrics.jsonl"));
  for (const char* name : {"run-0.safetensors", "run-3.safetensors", "state.safetensors"}) {
    const std::string file = std::string("checkpoints/00000030/") + name;
    EXPECT_EQ(read_file(directory / ("part/" + file)), read_file(directory / ("whole/" + file))) << name;
  }
}

TEST_F(Program, ResumeFallsBackLoudlyWhenTheNewestCheckpointIsDamaged) {
  ASSERT_EQ(run("train c.yaml --out whole"), 0);
  ASSERT_EQ(run("train c.yaml --out part training.steps=20"), 0);
  write_file_atomically(directory / "part/checkpoints/00000020/run-0.safetensors", "damaged");
  ASSERT_EQ(run("train c.yaml --out part --resume"), 0);
  EXPECT_NE(err().find("run-0.safetensors: is damaged"), std::string::npos) << err();
  EXPECT_EQ(read_file(directory / "part/metrics.jsonl"), read_file(directory / "whole/metrics.jsonl"));
}

TEST_F(Program, ResumeRefusesAnotherConfigurationAndARunThatIsNotThere) {
  ASSERT_EQ(run("train c.yaml --out r training.steps=10"), 0);
  EXPECT_EQ(run("train c.yaml --out r --resume optimizer.beta1=0.5"), 2);
  EXPECT_NE(err().find("was started with another configuration: there '  beta1: 0.9', now '  beta1: 0.5'"),
            std::string::npos);
  EXPECT_EQ(run("train c.yaml --out nowhere --resume"), 4);
  EXPECT_FALSE(exists("nowhere"));
}

TEST_F(Program, ControlCSavesAtTheNextStepAndTheRunContinuesAsIfUninterrupted) {
  ASSERT_EQ(run_until_signal("train c.yaml --out r training.steps=1000000", "INT", "r"), 130) << err();
  const std::string words = "saved at step ";
  const size_t at = err().find(words);
  ASSERT_NE(at, std::string::npos) << err();
  const std::string steps = " training.steps=" + std::to_string(std::stoll(err().substr(at + words.size())) + 13);
  ASSERT_EQ(run("train r/config.yaml --resume" + steps), 0) << err();
  ASSERT_EQ(run("train c.yaml --out whole" + steps), 0);
  EXPECT_EQ(read_file(directory / "r/metrics.jsonl"), read_file(directory / "whole/metrics.jsonl"));
}

TEST_F(Program, TerminationSavesAndEndsWith143) {
  EXPECT_EQ(run_until_signal("train c.yaml --out r training.steps=1000000", "TERM", "r"), 143);
  EXPECT_EQ(run("inspect r"), 0) << err();
}

TEST_F(Program, DivergenceExitsWithFive) {
  EXPECT_EQ(run("train c.yaml --out r optimizer.learning_rate=1e30"), 5);
  EXPECT_NE(err().find("is not finite"), std::string::npos) << err();
}

TEST_F(Program, InspectGivesTheFiguresOfTheMetricsFile) {
  ASSERT_EQ(run("train c.yaml --out r"), 0);
  ASSERT_EQ(run("inspect r --json"), 0) << err();
  const auto seen = nlohmann::json::parse(out());
  const auto rows = read_metrics(directory / "r/metrics.jsonl");
  ASSERT_EQ(seen.size(), 4u);
  for (size_t run = 0; run < 4; ++run) {
    const auto& row = rows[rows.size() - 4 + run];
    for (const char* key :
         {"test_loss", "logit_decomposition.excluded_loss_test", "logit_bloat.rms_test", "weight_norms.total"}) {
      EXPECT_EQ(seen[run][key], row[key]) << key;
    }
  }
  EXPECT_EQ(run("inspect r --step 20"), 0);
  EXPECT_NE(out().find("Step 20"), std::string::npos);
  EXPECT_EQ(run("inspect r --step 7"), 2);
  EXPECT_EQ(err(), "r: has no checkpoint of step 7; there are 20, 30\n");
}

TEST_F(Program, InspectOneInputAddsUpToTheModelsMargin) {
  ASSERT_EQ(run("train c.yaml --out r"), 0);
  ASSERT_EQ(run("inspect r --run 2 --input 7,9 --json"), 0) << err();
  const auto seen = nlohmann::json::parse(out());
  EXPECT_EQ(seen["question"], "7 + 9 mod 11");
  EXPECT_EQ(seen["target"], 5);
  double sum = 0;
  for (const auto& circuit : seen["circuits"]) sum += circuit["evidence"].get<double>();
  EXPECT_EQ(seen["circuits"].size(), 5u);
  EXPECT_NEAR(sum, seen["margin"].get<double>(), 1e-5);
  EXPECT_NE(seen["runner_up"], seen["target"]);
  ASSERT_EQ(run("inspect r --run 2 --input 7,9"), 0);
  EXPECT_NE(out().find("model's own logits"), std::string::npos);
}

TEST_F(Program, InspectRefusesBadInputInOneSentence) {
  ASSERT_EQ(run("train c.yaml --out r training.steps=1"), 0);
  EXPECT_EQ(run("inspect r --input 7,11"), 2);
  EXPECT_EQ(err(), "the input 7,11 is out of range: a is 0 to 10, b is 0 to 10\n");
  EXPECT_EQ(run("inspect r --input seven"), 2);
  EXPECT_EQ(run("inspect r --run 4"), 2);
  EXPECT_EQ(err(), "--run 4: the pack has runs 0 to 3\n");
  EXPECT_EQ(run("inspect nowhere"), 4);
  EXPECT_EQ(err(), "nowhere: is not a run directory (it has no config.yaml)\n");
}

TEST_F(Program, PlotDrawsEveryRunAndNamesUnknownColumns) {
  ASSERT_EQ(run("train c.yaml --out r"), 0);
  ASSERT_EQ(run("plot r test_loss"), 0) << err();
  EXPECT_NE(out().find("D  seed 1, weight_decay 0"), std::string::npos);
  EXPECT_EQ(run("plot r tset_loss"), 2);
  EXPECT_NE(err().find("has no column 'tset_loss' (did you mean 'test_loss'?)"), std::string::npos) << err();
}

TEST_F(Program, ListShowsEveryComponentWithItsKeys) {
  ASSERT_EQ(run("list"), 0);
  for (const char* name :
       {"modular_addition", "transformer", "mlp", "cross_entropy", "adamw", "sgd", "warmup", "logit_bloat"}) {
    EXPECT_NE(out().find(name), std::string::npos) << name;
  }
  ASSERT_EQ(run("list optimizers"), 0);
  EXPECT_NE(out().find("weight_decay: 1\n"), std::string::npos);
  ASSERT_EQ(run("list settings"), 0);
  EXPECT_NE(out().find("training.evaluate_every_steps: 100\n"), std::string::npos);
}

TEST_F(Program, CudaIsRefusedWithOneSentenceWhereThereIsNone) {
  if (std::system("nvidia-smi >/dev/null 2>&1") == 0) GTEST_SKIP() << "a GPU is here";
  EXPECT_EQ(run("train c.yaml device=cuda"), 2);
  EXPECT_NE(err().find("device: cuda was asked for, but"), std::string::npos);
  EXPECT_FALSE(exists("runs"));
}

}  // namespace
}  // namespace logodds
