// What a user sees of a run that something happened to: locks, damage, signals, divergence.

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "core/files.h"
#include "core/metrics.h"
#include "tests/experiments/program.h"

namespace logodds {
namespace {

namespace fs = std::filesystem;

/// The same length with one other byte in the middle.
void flip(const fs::path& path) {
  std::string content = read_file(path);
  content[content.size() / 2] = static_cast<char>(content[content.size() / 2] ^ 1);
  write_file_atomically(path, content);
}

TEST_F(Program, VerifyResumeProvesThatInterruptionsChangeNothingAndLeavesNothing) {
  ASSERT_EQ(run("verify-resume c.yaml training.batch_size=7 --steps 30 --stops 1,10,11,29"), 0) << err();
  EXPECT_NE(out().find("16 rows of metrics after 30 steps and 4 interruptions: all equal, byte for byte"),
            std::string::npos)
      << out();
  ASSERT_EQ(run("verify-resume c.yaml"), 0) << err();
  EXPECT_NE(err().find("training 21 steps twice, the second time stopped and continued after step 1, 7, 10, 11, 20"),
            std::string::npos)
      << err();
  EXPECT_EQ(std::distance(fs::directory_iterator(directory / ""), fs::directory_iterator()), 3);  // c.yaml, out, err
}

TEST_F(Program, VerifyResumeRefusesStopsThatAreNotThere) {
  EXPECT_EQ(run("verify-resume c.yaml --steps 5 --stops 5"), 2);
  EXPECT_EQ(err(), "--stops must be steps in rising order from 1 to 4, not '5'\n");
  EXPECT_EQ(run("verify-resume c.yaml --steps 5 --stops 2,2"), 2);
  EXPECT_EQ(run("verify-resume c.yaml --steps 1"), 2);
}

TEST_F(Program, CheckFindsAFlippedByteInEveryFileOfARunAndNamesIt) {
  ASSERT_EQ(run("train c.yaml --out r runs= training.keep_last_checkpoints=1"), 0) << err();
  ASSERT_EQ(run("check r"), 0) << err();
  EXPECT_EQ(out(), "r: 1 checkpoints, 4 rows of metrics: all good\n");
  EXPECT_EQ(err(), "");
  size_t files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(directory / "r")) {
    if (!entry.is_regular_file()) continue;
    const std::string good = read_file(entry.path());
    const std::string name = entry.path().string().substr((directory / "").string().size());
    flip(entry.path());
    EXPECT_EQ(run("check r"), 4) << name;
    EXPECT_NE(err().find(name + ": "), std::string::npos) << name << "\n" << err();
    write_file_atomically(entry.path(), good);
    ++files;
  }
  EXPECT_EQ(files, 8u);
  fs::remove(directory / "r/checkpoints/00000030/run-0.safetensors");
  EXPECT_EQ(run("check r"), 4);
  EXPECT_EQ(err(), "r/checkpoints/00000030/run-0.safetensors: cannot open: No such file or directory\n");
  EXPECT_EQ(run("check nothing"), 4);
}

TEST_F(Program, TheSecondProcessOnARunSaysWhoHasItAndStops) {
  const std::string endless = std::string(LOGODDS_PROGRAM) + " train c.yaml --out r training.steps=100000000";
  ASSERT_EQ(shell("sh -c '" + endless + " 2>/dev/null & while [ ! -s r/metrics.jsonl ]; do sleep 0.05; done; " +
                  LOGODDS_PROGRAM + " train r/config.yaml --resume; code=$?; echo $!; kill -KILL $!; [ $code = 4 ]'"),
            0)
      << err();
  EXPECT_EQ(err().find("r: is in use by process " + out().substr(0, out().find('\n')) + " on "), 0u) << out() << err();
  EXPECT_TRUE(exists("r/lock")) << "it was killed";
  ASSERT_EQ(run("train r/config.yaml --resume training.steps=1"), 0) << err();
  EXPECT_FALSE(exists("r/lock"));
}

TEST_F(Program, DamageBeforeACheckpointFallsBackToTheOneBeforeItAndEndsTheSame) {
  ASSERT_EQ(run("train c.yaml --out whole"), 0);
  ASSERT_EQ(run("train c.yaml --out r training.steps=20"), 0);
  const auto rows = read_file(directory / "r/metrics.jsonl");
  std::string bad = rows;
  bad[rows.rfind("\"run\":3") + 6] = '2';  // in what was written after the first checkpoint
  write_file_atomically(directory / "r/metrics.jsonl", bad);
  ASSERT_EQ(run("train c.yaml --out r --resume"), 0) << err();
  EXPECT_NE(err().find("r/metrics.jsonl: is damaged before byte"), std::string::npos) << err();
  EXPECT_NE(err().find(": its SHA-256 is not the one in checkpoint 20"), std::string::npos) << err();
  EXPECT_NE(err().find("checkpoint 20 is not usable; trying the one before it"), std::string::npos) << err();
  EXPECT_EQ(read_file(directory / "r/metrics.jsonl"), read_file(directory / "whole/metrics.jsonl"));
  EXPECT_TRUE(exists("r/checkpoints/00000020.damaged"));
}

TEST_F(Program, ARunWhoseCheckpointsAreAllDamagedIsNotBegunAgain) {
  ASSERT_EQ(run("train c.yaml --out r training.steps=20"), 0);
  const std::string rows = read_file(directory / "r/metrics.jsonl");
  for (const char* step : {"10", "20"})
    fs::remove(directory / ("r/checkpoints/000000" + std::string(step) + "/manifest.json"));
  EXPECT_EQ(run("train r/config.yaml --resume"), 4);
  EXPECT_NE(err().find("r/checkpoints/00000020/manifest.json: cannot open"), std::string::npos) << err();
  EXPECT_NE(err().find("r/checkpoints: holds no usable checkpoint"), std::string::npos) << err();
  EXPECT_EQ(read_file(directory / "r/metrics.jsonl"), rows);
}

TEST_F(Program, ResumingAFinishedRunSaysThatThereIsNothingToTrain) {
  ASSERT_EQ(run("train c.yaml --out r training.steps=10"), 0);
  ASSERT_EQ(run("train r/config.yaml --resume"), 0);
  EXPECT_NE(err().find("nothing to train: it is at step 10 already; training.steps=… trains further"),
            std::string::npos)
      << err();
  ASSERT_EQ(run("train r/config.yaml --resume training.steps=11"), 0);
  EXPECT_EQ(err().find("nothing to train"), std::string::npos) << err();
}

TEST_F(Program, AConfigurationThatChangedOnDiskIsNotContinued) {
  ASSERT_EQ(run("train c.yaml --out r training.steps=10"), 0);
  std::string config = read_file(directory / "r/config.yaml");
  config.replace(config.find("learning_rate: 0.001"), 20, "learning_rate: 0.002");
  write_file_atomically(directory / "r/config.yaml", config);
  EXPECT_EQ(run("train r/config.yaml --resume training.steps=20"), 4);
  EXPECT_EQ(
      err(),
      "r/config.yaml: is damaged: its SHA-256 is not the one in manifest.json; a run is continued only as it began\n");
}

TEST_F(Program, ACreationThatWasInterruptedIsBegunAgainAndOtherThingsAreNotTouched) {
  fs::create_directories(directory / "r/checkpoints");
  write_file_atomically(directory / "r/provenance.json", "{");
  EXPECT_EQ(run("train c.yaml --out r training.steps=1"), 0) << err();
  fs::create_directories(directory / "mine");
  write_file_atomically(directory / "mine/notes.txt", "");
  EXPECT_EQ(run("train c.yaml --out mine training.steps=1"), 4);
  EXPECT_FALSE(exists("mine/lock"));
}

TEST_F(Program, AWrongBatchSizeLeavesNoRunDirectory) {
  EXPECT_EQ(run("train c.yaml --out r training.batch_size=61"), 2);
  EXPECT_FALSE(exists("r"));
}

TEST_F(Program, CheckpointsAtMultiplesOfKeepEveryStepsStay) {
  ASSERT_EQ(run("train c.yaml --out r training.steps=60 training.keep_every_steps=30 "
                "training.keep_last_checkpoints=1"),
            0)
      << err();
  EXPECT_EQ(run("check r"), 0) << err();
  std::set<std::string> steps;
  for (const auto& entry : fs::directory_iterator(directory / "r/checkpoints")) steps.insert(entry.path().filename());
  EXPECT_EQ(steps, (std::set<std::string>{"00000030", "00000060"}));
  EXPECT_EQ(run("train c.yaml --out x training.keep_every_steps=15"), 2);
  EXPECT_EQ(err(), "training.keep_every_steps (15) must be a multiple of training.checkpoint_every_steps (10)\n");
  EXPECT_FALSE(exists("x"));
}

/// Steps of a third of a second and more: the second signal comes within the step of the first.
const std::string kSlow =
    "task: {kind: modular_addition, p: 113, train_fraction: 0.9}\n"
    "model: {kind: transformer, d_model: 128, heads: 4, d_mlp: 1024}\n"
    "runs: {seed: [0, 1, 2, 3]}\n"
    "training: {steps: 100, evaluate_every_steps: 100, checkpoint_every_steps: 100}\n";

TEST_F(Program, ASecondSignalEndsAtOnceAndLeavesAGoodDirectory) {
  write_file_atomically(directory / "slow.yaml", kSlow);
  for (const auto& [signal, code] : {std::pair("INT", 130), std::pair("TERM", 143)}) {
    const std::string name = signal;
    EXPECT_EQ(run_until_signal("train slow.yaml --out " + name, name + " $!; sleep 0.1; kill -" + name, name), code)
        << err();
    EXPECT_EQ(err().find("saved at step"), std::string::npos) << err();
    EXPECT_FALSE(exists(name + "/checkpoints/00000001"));
    EXPECT_EQ(run("check " + name), 0) << err();
    EXPECT_EQ(out(), name + ": 0 checkpoints, 4 rows of metrics: all good\n");
  }
}

TEST_F(Program, ARunThatDivergesInAPackIsKeptWithWhatItDivergedOnAndTheOthersGoOn) {
  const std::string rates = " \"runs={learning_rate: [0.01, 1e30, 0.02]}\"";
  ASSERT_EQ(run("train c.yaml --out r" + rates), 5) << err();
  EXPECT_NE(err().find("the training loss of run 1 (seed 0) is not finite"), std::string::npos) << err();
  EXPECT_NE(err().find("the other runs go on"), std::string::npos) << err();
  EXPECT_NE(err().find("1 of 3 runs diverged; what they diverged on is in r/diverged"), std::string::npos) << err();
  const auto story = nlohmann::json::parse(read_file(directory / "r/diverged/run-1/divergence.json"));
  EXPECT_EQ(story["run"], 1);
  EXPECT_EQ(story["label"], "learning_rate 1e30");
  EXPECT_TRUE(exists("r/diverged/run-1/batch.safetensors"));
  EXPECT_FALSE(exists("r/diverged/run-0"));
  size_t last = 0;
  for (const auto& row : read_metrics(directory / "r/metrics.jsonl")) last += row["step"] == 30 ? 1 : 0;
  EXPECT_EQ(last, 2u);
  EXPECT_EQ(run("check r"), 0) << err();
  flip(directory / "r/diverged/run-1/batch.safetensors");
  EXPECT_EQ(run("check r"), 4);
  EXPECT_EQ(run("verify-resume c.yaml" + rates), 0) << out() << err();
}

}  // namespace
}  // namespace logodds
