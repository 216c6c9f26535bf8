#include "core/files.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "tests/temporary_directory.h"

namespace logodds {
namespace {

TEST(Files, WritesAndReadsBackAnyBytes) {
  const TemporaryDirectory directory;
  const std::string content("a\0b\xff\n", 5);
  write_file_atomically(directory / "f", content);
  EXPECT_EQ(read_file(directory / "f"), content);
}

TEST(Files, AFailedWriteLeavesTheOldContentAndNoTemporary) {
  const TemporaryDirectory directory;
  write_file_atomically(directory / "f", "old");
  std::filesystem::create_directory(directory / "f.partial");  // where the temporary would go: creating it fails
  EXPECT_THROW(write_file_atomically(directory / "f", "new"), Error);
  EXPECT_EQ(read_file(directory / "f"), "old");
}

TEST(Files, ErrorsNameTheFileAndAreIoErrors) {
  try {
    read_file("/nonexistent/x");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "/nonexistent/x: cannot open: No such file or directory");
    EXPECT_EQ(error.code(), ExitCode::io);
  }
}

TEST(Files, RefusesDirectoriesAndFilesOverTheLimit) {
  const TemporaryDirectory directory;
  EXPECT_THROW(read_file(directory / ""), Error);
  write_file_atomically(directory / "f", "12345");
  EXPECT_THROW(read_file(directory / "f", 4), Error);
}

TEST(Files, Sha256OfThePublishedTestVector) {
  EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

}  // namespace
}  // namespace logodds
