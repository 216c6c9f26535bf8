// Sweeps as a user runs them: what is on disk, what survives, what is said.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>

#include "core/files.h"
#include "core/lock_file.h"
#include "core/metrics.h"
#include "tests/experiments/program.h"
#include "training/checkpoint.h"

namespace logodds {
namespace {

class SweepProgram : public Program {
 protected:
  SweepProgram() {
    write_file_atomically(directory / "s.yaml",
                          "task: {kind: modular_addition, p: 11, train_fraction: 0.5}\n"
                          "model: {kind: mlp, d_embed: 8, hidden: [16]}\n"
                          "optimizer: {learning_rate: 0.01}\n"
                          "training: {steps: 60, evaluate_every_steps: 20, checkpoint_every_steps: 20}\n"
                          "hooks: {logit_bloat: {every_steps: 20}}\n"
                          "sweep: {optimizer.weight_decay: [0, 1], seed: {count: 2}}\n");
  }

  std::string table(const std::string& sweep) { return read_file(directory / (sweep + "/table.csv")); }

  /// Starts `logodds ARGUMENTS` without waiting for it.
  pid_t start(const std::vector<std::string>& arguments) {
    std::vector<std::string> words{LOGODDS_PROGRAM};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv;
    for (auto& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    const std::string where = (directory / "").string();
    const pid_t pid = ::fork();
    if (pid != 0) return pid;
    const int nothing = ::open("/dev/null", O_WRONLY);
    ::dup2(nothing, STDOUT_FILENO);
    ::dup2(nothing, STDERR_FILENO);
    if (::chdir(where.c_str()) == 0) ::execv(LOGODDS_PROGRAM, argv.data());
    ::_exit(127);
  }

  /// Whether a process that was started is over; it stays to be waited for.
  static bool has_ended(pid_t pid) {
    siginfo_t info{};
    return ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == pid;
  }

  /// How far the newest checkpoints of all trainings are, added up.
  int64_t saved_steps(const std::string& sweep) {
    int64_t sum = 0;
    std::error_code ignored;
    for (const auto& run : std::filesystem::directory_iterator(directory / sweep, ignored)) {
      const auto steps = CheckpointDirectory(run.path() / "checkpoints").steps();
      sum += steps.empty() ? 0 : steps.back();
    }
    return sum;
  }

  size_t checkpoints(const std::string& sweep) {
    size_t count = 0;
    std::error_code ignored;
    for (const auto& run : std::filesystem::directory_iterator(directory / sweep, ignored)) {
      for (const auto& step : std::filesystem::directory_iterator(run.path() / "checkpoints", ignored)) {
        count += step.path().extension().empty() ? 1 : 0;
      }
    }
    return count;
  }
};

TEST_F(SweepProgram, LeavesARunDirectoryPerTrainingAndATable) {
  ASSERT_EQ(run("sweep s.yaml"), 0) << err();
  EXPECT_TRUE(exists("runs/s/weight_decay=1,seed=0/checkpoints/00000060/manifest.json"));
  EXPECT_NE(err().find("weight_decay=0,seed=1: not grokked in 60 steps"), std::string::npos) << err();
  EXPECT_NE(out().find("> 60"), std::string::npos) << out();
  ASSERT_EQ(run("table runs/s"), 0) << err();
  EXPECT_EQ(out(), table("runs/s"));
  EXPECT_EQ(std::ranges::count(out(), '\n'), 5);
  EXPECT_EQ(out().find("optimizer.weight_decay,seed,directory,run,state,budget_steps,last_step,grokked,"), 0u);
  ASSERT_EQ(run("table runs/s --summary"), 0);
  EXPECT_EQ(std::ranges::count(out(), '\n'), 3);
  ASSERT_EQ(run("table runs/s --summary --columns logit_bloat.rms_test,test_loss"), 0) << err();
  EXPECT_EQ(out().find("optimizer.weight_decay  logit_bloat.rms_test"), 0u) << out();
  EXPECT_EQ(std::ranges::count(out(), '\n'), 3);
  EXPECT_EQ(run("table runs/s --summary --columns logit_bloat.rms_tset"), 2);
  EXPECT_NE(err().find("there is no column 'logit_bloat.rms_tset' (did you mean 'logit_bloat.rms_test'"),
            std::string::npos)
      << err();
  ASSERT_EQ(run("table runs/s --metrics"), 0);
  EXPECT_EQ(std::ranges::count(out(), '\n'), 1 + 4 * 4);
  ASSERT_EQ(run("inspect runs/s/weight_decay=1,seed=0"), 0) << err();
}

TEST_F(SweepProgram, ARunOfASweepIsTheRunTrainedAlone) {
  ASSERT_EQ(run("sweep s.yaml"), 0) << err();
  write_file_atomically(directory / "alone.yaml",
                        read_file(directory / "s.yaml").substr(0, read_file(directory / "s.yaml").find("sweep:")));
  ASSERT_EQ(run("train alone.yaml threads=1 seed=1 optimizer.weight_decay=1"), 0) << err();
  EXPECT_EQ(read_file(directory / "runs/s/weight_decay=1,seed=1/metrics.jsonl"),
            read_file(directory / "runs/alone/metrics.jsonl"));
}

TEST_F(SweepProgram, FinishedTrainingsAreNotTrainedAgainAndASweepMayGrow) {
  ASSERT_EQ(run("sweep s.yaml"), 0) << err();
  const auto written = std::filesystem::last_write_time(directory / "runs/s/weight_decay=1,seed=0/metrics.jsonl");
  ASSERT_EQ(run("sweep s.yaml 'sweep.seed={count: 3}'"), 0) << err();
  EXPECT_NE(err().find("4 of 6 trainings are done already"), std::string::npos) << err();
  EXPECT_EQ(std::filesystem::last_write_time(directory / "runs/s/weight_decay=1,seed=0/metrics.jsonl"), written);
  EXPECT_EQ(std::ranges::count(table("runs/s"), '\n'), 7);
  EXPECT_EQ(run("sweep s.yaml optimizer.learning_rate=0.02"), 2);
  EXPECT_NE(err().find("was started with another configuration: there '  learning_rate: 0.01'"), std::string::npos)
      << err();
  // Trained further, it is as if it had been so from the start.
  ASSERT_EQ(run("sweep s.yaml training.steps=100"), 0) << err();
  ASSERT_EQ(run("sweep s.yaml training.steps=100 --out whole"), 0) << err();
  EXPECT_EQ(table("runs/s"), table("whole"));
}

TEST_F(SweepProgram, ARunThatDivergesTakesNoOtherAlong) {
  EXPECT_EQ(run("sweep s.yaml 'sweep.optimizer.learning_rate=[0.01, 1e30]' sweep.seed=[0]"), 5) << err();
  EXPECT_NE(err().find("weight_decay=1,seed=0,learning_rate=1e30: diverged: step "), std::string::npos) << err();
  EXPECT_NE(table("runs/s").find("\"weight_decay=1,seed=0,learning_rate=0.01\",0,finished,60,60,"), std::string::npos);
  EXPECT_NE(table("runs/s").find("\"weight_decay=1,seed=0,learning_rate=1e30\",0,diverged,60,"), std::string::npos);
}

TEST_F(SweepProgram, InAPackTheRunsBesideOneThatDivergesAreTrainedToTheEnd) {
  const std::string settings = " sweep.pack_runs=4 sweep.optimizer.weight_decay=[1] sweep.seed=[0] ";
  const std::string rates = "'sweep.optimizer.learning_rate=[0.01, 0.02, 1e30, 0.03]'";
  EXPECT_EQ(run("sweep s.yaml" + settings + rates), 5) << err();
  EXPECT_NE(err().find("[1/1] weight_decay=1,seed=0,learning_rate=0.01..0.03: "), std::string::npos) << err();
  EXPECT_NE(err().find(", 1 diverged"), std::string::npos) << err();
  const std::string rows = table("runs/s"), pack = ",\"weight_decay=1,seed=0,learning_rate=0.01..0.03\",";
  EXPECT_EQ(std::ranges::count(rows, '\n'), 5) << rows;
  for (const std::string& row : {",0.01" + pack + "0,finished,60,60,", ",0.02" + pack + "1,finished,60,60,",
                                 ",1e30" + pack + "2,diverged,60,", ",0.03" + pack + "3,finished,60,60,"}) {
    EXPECT_NE(rows.find(row), std::string::npos) << row << "\n" << rows << err();
  }
  EXPECT_EQ(run("sweep s.yaml" + settings + rates), 5) << err();
  EXPECT_NE(err().find("1 of 1 trainings are done already"), std::string::npos) << err();
  EXPECT_EQ(table("runs/s"), rows);
}

TEST_F(SweepProgram, ARunThatAnotherProcessTrainsIsLeftToIt) {
  const std::string busy = "runs/s/weight_decay=1,seed=0";
  ASSERT_EQ(run("sweep s.yaml training.steps=20"), 0) << err();
  {
    const LockFile lock(directory / (busy + "/lock"), busy);
    EXPECT_EQ(run("sweep s.yaml"), 6);
    EXPECT_NE(err().find(busy + ": is in use by process " + std::to_string(::getpid()) + " on "), std::string::npos)
        << err();
    EXPECT_NE(err().find("it is left to that process"), std::string::npos) << err();
    EXPECT_NE(table("runs/s").find("\"weight_decay=1,seed=1\",0,finished,60,60,"), std::string::npos)
        << table("runs/s");
  }
  EXPECT_EQ(run("sweep s.yaml"), 0) << err();
}

TEST_F(SweepProgram, ABrokenRunDirectoryTakesNoOtherAlong) {
  ASSERT_EQ(run("sweep s.yaml"), 0) << err();
  const std::string whole = table("runs/s");
  const std::string broken = "runs/s/weight_decay=1,seed=0";
  for (const auto& step : std::filesystem::directory_iterator(directory / (broken + "/checkpoints"))) {
    write_file_atomically(step.path() / "run-0.safetensors", "damaged");
  }
  EXPECT_EQ(run("sweep s.yaml training.steps=80"), 6);
  EXPECT_NE(
      err().find("weight_decay=1,seed=0: failed (exit 4): " + broken + "/checkpoints: holds no usable checkpoint"),
      std::string::npos)
      << err();
  EXPECT_NE(err().find("1 of 4 runs are not finished"), std::string::npos) << err();
  EXPECT_NE(table("runs/s").find("\"weight_decay=1,seed=1\",0,finished,80,80,"), std::string::npos) << table("runs/s");
  std::filesystem::remove_all(directory / broken);
  EXPECT_EQ(run("sweep runs/s"), 0) << err();
}

TEST_F(SweepProgram, NothingIsWrittenForAWrongConfigurationOrOverSomethingElse) {
  EXPECT_EQ(run("sweep s.yaml 'sweep.optimizer.weight_decay=[0, -1]'"), 2);
  EXPECT_FALSE(exists("runs"));
  ASSERT_EQ(run("train c.yaml --out r training.steps=1"), 0);
  EXPECT_EQ(run("sweep s.yaml --out r"), 4);
  EXPECT_EQ(err(), "r: exists already and is no sweep; choose another place with --out DIR\n");
  EXPECT_EQ(run("train s.yaml"), 2);
}

TEST_F(SweepProgram, ControlCSavesAndTheSweepContinues) {
  ASSERT_EQ(run("sweep s.yaml training.steps=2000 --out whole"), 0) << err();
  const pid_t pid = start({"sweep", "s.yaml", "training.steps=2000", "--out", "part"});
  while (checkpoints("part") < 2) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  ::kill(pid, SIGINT);
  int status = 0;
  ASSERT_EQ(::waitpid(pid, &status, 0), pid);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 130);
  EXPECT_FALSE(exists("part/table.csv"));
  ASSERT_EQ(run("sweep part"), 0) << err();
  EXPECT_EQ(table("part"), table("whole"));
}

TEST_F(SweepProgram, KilledAtTwentyRandomMomentsItEndsInTheSameTable) {
  const std::string settings = "sweep s.yaml training.steps=1500 'sweep.seed={count: 4}' --out ";
  ASSERT_EQ(run(settings + "whole"), 0) << err();
  std::mt19937 random(1);
  int finished = 0, trained = 0;
  for (int kill = 0; kill < 20; ++kill) {
    const int64_t goal = saved_steps("part") + static_cast<int64_t>(random() % 3) * 200;
    const pid_t pid = start({"sweep", "s.yaml", "training.steps=1500", "sweep.seed={count: 4}", "--out", "part"});
    // Counted in steps, and only then in time: a busy machine comes as far. Of three, one is killed while it starts.
    while (saved_steps("part") < goal && !has_ended(pid)) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    std::this_thread::sleep_for(std::chrono::milliseconds(random() % 300));
    ::kill(pid, SIGKILL);
    int status = 0;
    ASSERT_EQ(::waitpid(pid, &status, 0), pid);
    trained += saved_steps("part") > 0 ? 1 : 0;
    if (WIFSIGNALED(status)) continue;
    // It was over before it was killed: the next one begins anew.
    EXPECT_EQ(WEXITSTATUS(status), 0);
    EXPECT_EQ(table("part"), table("whole"));
    std::filesystem::remove_all(directory / "part");
    ++finished;
  }
  EXPECT_LT(finished, 10) << "most of the sweep was over before it was killed: make it longer";
  EXPECT_GT(trained, 10);
  ASSERT_EQ(run(settings + "part"), 0) << err();
  EXPECT_EQ(table("part"), table("whole"));
  for (const auto& entry : std::filesystem::directory_iterator(directory / "whole")) {
    if (!entry.is_directory()) continue;
    const std::string name = entry.path().filename().string() + "/metrics.jsonl";
    EXPECT_EQ(read_file(directory / ("part/" + name)), read_file(directory / ("whole/" + name))) << name;
  }
}

TEST_F(SweepProgram, KilledWhileItWroteItsFirstFileItBeginsAgain) {
  std::filesystem::create_directory(directory / "part");
  write_file_atomically(directory / "part/sweep.yaml.partial", "name: s\nta");
  EXPECT_EQ(run("sweep s.yaml training.steps=1 --out part"), 0) << err();
  EXPECT_FALSE(exists("part/sweep.yaml.partial"));
}

TEST_F(SweepProgram, TrainingSavesOnASignalAndGoesOn) {
  const std::string settings =
      " training.steps=20000 training.evaluate_every_steps=2000 training.checkpoint_every_steps=20000 runs= hooks= "
      "threads=1 \"model={kind: mlp, d_embed: 4, hidden: [8]}\"";
  ASSERT_EQ(shell("sh -c '" + std::string(LOGODDS_PROGRAM) + " train c.yaml --out r" + settings +
                  " & while [ ! -s r/metrics.jsonl ]; do sleep 0.05; done; kill -USR1 $!; while ! ls "
                  "r/checkpoints/*/manifest.json; do sleep 0.01; done; ls r/checkpoints; wait $!'"),
            0)
      << err();
  // A checkpoint was there before the last step, and training went on to it.
  EXPECT_EQ(out().find("00020000"), std::string::npos) << out();
  EXPECT_TRUE(exists("r/checkpoints/00020000/manifest.json"));
  ASSERT_EQ(run("train c.yaml --out whole" + settings), 0) << err();
  EXPECT_EQ(read_file(directory / "r/metrics.jsonl"), read_file(directory / "whole/metrics.jsonl"));
}

TEST_F(SweepProgram, ARunThatEndedBeforeItsFirstCheckpointBeginsAgain) {
  ASSERT_EQ(run("train c.yaml --out whole"), 0);
  ASSERT_EQ(run("train c.yaml --out r training.steps=10"), 0);
  std::filesystem::remove_all(directory / "r/checkpoints/00000010");
  ASSERT_EQ(run("train r/config.yaml --resume training.steps=30"), 0) << err();
  EXPECT_EQ(read_file(directory / "r/metrics.jsonl"), read_file(directory / "whole/metrics.jsonl"));
}

}  // namespace
}  // namespace logodds
