#include "core/metrics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/files.h"
#include "tests/temporary_directory.h"

namespace logodds {
namespace {

TEST(Metrics, RowsAreReadBackInOrderAndNonFiniteFiguresAreNull) {
  const TemporaryDirectory directory;
  MetricsFile file(directory / "m.jsonl", 0);
  file.append({{{"step", 0}, {"s", INFINITY}}, {{"step", 1}, {"v", {1.5, 2.5}}}});
  const auto rows = read_metrics(directory / "m.jsonl");
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_TRUE(rows[0]["s"].is_null());
  EXPECT_EQ(rows[1]["v"][1], 2.5);
}

TEST(Metrics, ReopeningCutsBackToTheOffsetOfTheCheckpoint) {
  const TemporaryDirectory directory;
  MetricsFile file(directory / "m.jsonl", 0);
  file.append({{{"step", 0}}});
  const auto offset = file.offset();
  file.append({{{"step", 1}}});
  MetricsFile again(directory / "m.jsonl", offset);
  again.append({{{"step", 2}}});
  const auto rows = read_metrics(directory / "m.jsonl");
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[1]["step"], 2);
}

TEST(Metrics, ItsHashIsThatOfWhatWasAppendedAlsoAfterReopening) {
  const TemporaryDirectory directory;
  MetricsFile file(directory / "m.jsonl", 0);
  file.append({{{"step", 0}}, {{"step", 1}}});
  const std::string sum = file.sha256();
  EXPECT_EQ(sum, sha256(read_file(directory / "m.jsonl")));
  const auto offset = file.offset();
  file.append({{{"step", 2}}});
  EXPECT_EQ(metrics_sha256(directory / "m.jsonl", offset), sum);
  EXPECT_EQ(MetricsFile(directory / "m.jsonl", offset).sha256(), sum);
}

TEST(Metrics, AFileShorterThanItsCheckpointSaysIsRefused) {
  const TemporaryDirectory directory;
  write_file_atomically(directory / "m.jsonl", "{}\n");
  EXPECT_THROW(MetricsFile(directory / "m.jsonl", 4), Error);
}

TEST(Metrics, ALastLineThatIsBeingWrittenIsLeftOut) {
  const TemporaryDirectory directory;
  write_file_atomically(directory / "m.jsonl", "{\"step\": 0}\n{\"step\": 1");
  EXPECT_EQ(read_metrics(directory / "m.jsonl").size(), 1u);
}

TEST(Metrics, ADamagedLineIsNamed) {
  const TemporaryDirectory directory;
  write_file_atomically(directory / "m.jsonl", "{\"step\": 0}\n{\"step\": \n");
  try {
    read_metrics(directory / "m.jsonl");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("m.jsonl:2: not a JSON object"), std::string::npos);
  }
}

}  // namespace
}  // namespace logodds
