#include "training/checkpoint.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "core/error.h"
#include "core/files.h"
#include "core/log.h"
#include "tests/temporary_directory.h"

namespace logodds {
namespace {

Checkpoint sample(int64_t step) {
  Checkpoint checkpoint;
  checkpoint.step = step;
  checkpoint.runs = {{{"w", at::full({2, 2}, static_cast<double>(step))}}, {{"w", at::zeros({2, 2})}}};
  checkpoint.state = {{"optimizer.mean", at::ones({3}, at::kDouble)}};
  checkpoint.numbers["metrics_bytes"] = 17;
  return checkpoint;
}

TEST(Checkpoint, IsReadBackAsItWasSaved) {
  const TemporaryDirectory directory;
  const CheckpointDirectory checkpoints(directory / "c");
  checkpoints.save(sample(40), {.last = 2});
  const Checkpoint read = checkpoints.load_newest();
  EXPECT_EQ(read.step, 40);
  ASSERT_EQ(read.runs.size(), 2u);
  EXPECT_TRUE(read.runs[0].at("w").equal(sample(40).runs[0].at("w")));
  EXPECT_TRUE(read.state.at("optimizer.mean").equal(at::ones({3}, at::kDouble)));
  EXPECT_EQ(read.numbers["metrics_bytes"], 17);
}

TEST(Checkpoint, OnlyTheNewestAreKept) {
  const TemporaryDirectory directory;
  const CheckpointDirectory checkpoints(directory / "c");
  for (const int64_t step : {0, 5, 10, 15}) checkpoints.save(sample(step), {.last = 2});
  EXPECT_EQ(checkpoints.steps(), (std::vector<int64_t>{10, 15}));
}

TEST(Checkpoint, MultiplesOfKeepEveryStepsStayForGood) {
  const TemporaryDirectory directory;
  const CheckpointDirectory checkpoints(directory / "c");
  for (int64_t step = 0; step <= 70; step += 10) checkpoints.save(sample(step), {.last = 2, .every_steps = 30});
  EXPECT_EQ(checkpoints.steps(), (std::vector<int64_t>{0, 30, 60, 70}));
}

TEST(Checkpoint, WhatAnInterruptionLeftIsRemovedByTheNextSave) {
  const TemporaryDirectory directory;
  const CheckpointDirectory checkpoints(directory / "c");
  std::filesystem::create_directories(directory / "c" / "00000002.partial" / "x");
  checkpoints.save(sample(3), {.last = 5});
  EXPECT_FALSE(std::filesystem::exists(directory / "c" / "00000002.partial"));
  EXPECT_EQ(checkpoints.load_newest().step, 3);
}

TEST(Checkpoint, DamagedOnesThatWereSetAsideDoNotPushOutGoodOnes) {
  const TemporaryDirectory directory;
  const CheckpointDirectory checkpoints(directory / "c");
  for (const int64_t step : {1, 2, 3}) checkpoints.save(sample(step), {.last = 5});
  checkpoints.set_aside_after(1);
  EXPECT_EQ(checkpoints.named(), std::vector<int64_t>{1});
  checkpoints.save(sample(2), {.last = 1});
  EXPECT_EQ(checkpoints.named(), std::vector<int64_t>{2});
  EXPECT_TRUE(std::filesystem::exists(directory / "c" / "00000003.damaged"));
}

TEST(Checkpoint, OneThatCannotBeUsedFallsBackToTheOneBefore) {
  spdlog::set_level(spdlog::level::off);
  const TemporaryDirectory directory;
  const CheckpointDirectory checkpoints(directory / "c");
  for (const int64_t step : {1, 2, 3}) checkpoints.save(sample(step), {.last = 5});
  const auto usable = [](const Checkpoint& checkpoint) {
    if (checkpoint.step > 1) throw io_error("its metrics are damaged");
  };
  EXPECT_EQ(checkpoints.load_newest(usable).step, 1);
}

TEST(Checkpoint, ProblemsNameEveryFileThatIsMissingDamagedOrStrange) {
  const TemporaryDirectory directory;
  const CheckpointDirectory checkpoints(directory / "c");
  checkpoints.save(sample(2), {.last = 5});
  EXPECT_TRUE(checkpoints.problems(2).empty());
  const auto path = checkpoints.path_of(2);
  std::filesystem::remove(path / "run-0.safetensors");
  write_file_atomically(path / "state.json", "{}\n");
  std::string all;
  for (const auto& problem : checkpoints.problems(2)) all += problem + "\n";
  for (const char* words : {"run-0.safetensors: cannot open", "state.json: is damaged: it has 3 bytes, and not"}) {
    EXPECT_NE(all.find(words), std::string::npos) << words << "\n" << all;
  }
  EXPECT_EQ(std::ranges::count(all, '\n'), 2);
  checkpoints.save(sample(3), {.last = 5});
  write_file_atomically(checkpoints.path_of(3) / "notes.txt", "");
  EXPECT_EQ(checkpoints.problems(3),
            std::vector<std::string>{(checkpoints.path_of(3) / "notes.txt").string() + ": is not in manifest.json"});
}

TEST(Checkpoint, EveryFlippedByteOfEveryFileFallsBackToTheOneBefore) {
  spdlog::set_level(spdlog::level::off);  // each fallback is loud
  const TemporaryDirectory directory;
  const CheckpointDirectory checkpoints(directory / "c");
  checkpoints.save(sample(1), {.last = 5});
  checkpoints.save(sample(2), {.last = 5});
  for (const char* name :
       {"run-0.safetensors", "run-1.safetensors", "state.safetensors", "state.json", "manifest.json"}) {
    const auto path = directory / "c" / "00000002" / name;
    const std::string good = read_file(path);
    for (size_t i = 0; i < good.size(); ++i) {
      std::string bad = good;
      bad[i] = static_cast<char>(bad[i] ^ 4);
      write_file_atomically(path, bad);
      EXPECT_EQ(checkpoints.load_newest().step, 1) << name << " byte " << i;
      try {
        checkpoints.load(2);
        FAIL() << "no error";
      } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()).find(name), std::string::npos) << error.what();
      }
    }
    write_file_atomically(path, good);
  }
  EXPECT_EQ(checkpoints.load_newest().step, 2);
}

TEST(Checkpoint, AnUnfinishedCheckpointIsNotSeen) {
  const TemporaryDirectory directory;
  const CheckpointDirectory checkpoints(directory / "c");
  checkpoints.save(sample(1), {.last = 5});
  std::filesystem::create_directories(directory / "c" / "00000002.partial");
  std::filesystem::create_directories(directory / "c" / "00000003");  // no manifest
  EXPECT_EQ(checkpoints.load_newest().step, 1);
}

TEST(Checkpoint, ADirectoryWithoutAGoodOneIsAnIoError) {
  const TemporaryDirectory directory;
  try {
    CheckpointDirectory(directory / "c").load_newest();
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::io);
  }
}

}  // namespace
}  // namespace logodds
