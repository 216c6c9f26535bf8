// Against a server of our own with faults: tests/experiments/faulty_server.py.

#include "experiments/download.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "core/files.h"
#include "tests/experiments/faulty_server.h"
#include "tests/temporary_directory.h"

namespace logodds {
namespace {

class Fetch : public testing::Test {
 protected:
  Fetch() {
    for (int64_t i = 0; i < 300000; ++i) content += static_cast<char>(i * 7919 >> 5);
    write_file_atomically(directory / "served/f", content);
  }

  Download from(const std::string& path) {
    return {.url = server.address(path), .to = directory / "got", .stall_seconds = 1, .attempts = 2};
  }
  std::string message(const Download& download) {
    try {
      fetch(download);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::io);
      return error.what();
    }
    return "no error";
  }
  std::string log() { return read_file(directory / "served/log"); }
  void expect_complete() {
    EXPECT_EQ(read_file(directory / "got"), content);
    EXPECT_FALSE(std::filesystem::exists(directory / "got.partial"));
  }

  TemporaryDirectory directory;
  FaultyServer server{directory / ""};
  std::string content;
};

TEST_F(Fetch, ReportsProgressAndLeavesTheWholeFile) {
  int64_t received = 0, total = 0;
  Download download = from("ok/f");
  download.progress = [&](int64_t so_far, int64_t all) { received = so_far, total = all; };
  fetch(download);
  expect_complete();
  EXPECT_EQ(received, 300000);
  EXPECT_EQ(total, 300000);
}

TEST_F(Fetch, TakesUpACutOrStalledTransferWhereItBroke) {
  for (const std::string how : {"cut", "stall"}) {
    std::filesystem::remove(directory / "got");
    fetch(from(how + "/f"));
    expect_complete();
    EXPECT_NE(log().find("/" + how + "/f -\n/" + how + "/f bytes=150000-\n"), std::string::npos) << log();
  }
}

TEST_F(Fetch, KeepsWhatCameForTheNextCallAndGivesNoFileUntilThen) {
  Download once = from("cut/f");
  once.attempts = 1;
  EXPECT_NE(message(once).find("/cut/f: "), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(directory / "got"));
  EXPECT_EQ(read_file(directory / "got.partial"), content.substr(0, 150000));
  fetch(once);
  expect_complete();
}

TEST_F(Fetch, BeginsAnewWhereTheServerIgnoresRangesOrThePartialFileIsTooLong) {
  write_file_atomically(directory / "got.partial", "something else");
  fetch(from("plain/f"));
  expect_complete();
  std::filesystem::remove(directory / "got");
  std::filesystem::copy_file(directory / "served/f", directory / "got.partial");
  fetch(from("ok/f"));
  expect_complete();
}

TEST_F(Fetch, GivesUpAServerThatSaysNothing) {
  EXPECT_NE(message(from("hang/f")).find("takes it up from there"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(directory / "got"));
}

TEST_F(Fetch, NamesTheAnswerOfAServerThatLacksTheFile) {
  EXPECT_EQ(message(from("ok/g")), server.address("ok/g") + ": the server answers 404");
}

TEST_F(Fetch, RemovesWhatFailsVerification) {
  Download download = from("ok/f");
  download.verify = [](std::string_view) { throw Error("is wrong"); };
  EXPECT_EQ(message(download), download.url + ": is wrong");
  EXPECT_FALSE(std::filesystem::exists(directory / "got"));
  EXPECT_FALSE(std::filesystem::exists(directory / "got.partial"));
}

TEST_F(Fetch, ReadsNoOtherProtocols) {
  Download download = from("");
  download.url = "file:///etc/hostname";
  EXPECT_NE(message(download), "no error");
}

}  // namespace
}  // namespace logodds
