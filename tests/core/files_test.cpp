#include "core/files.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>

#include "core/error.h"
#include "core/sha256.h"
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

TEST(Files, AppendingAddsToTheEndAndTruncatingCutsBack) {
  const TemporaryDirectory directory;
  append_to_file(directory / "f", "abc");
  append_to_file(directory / "f", "def");
  EXPECT_EQ(read_file(directory / "f"), "abcdef");
  truncate_file(directory / "f", 4);
  EXPECT_EQ(read_file(directory / "f"), "abcd");
}

TEST(Files, ShortWritesAreContinued) {
  const TemporaryDirectory directory;
  inject_file_faults([](FileOperation& operation) {
    operation.bytes = std::min<size_t>(operation.bytes, 3);
    return 0;
  });
  write_file_atomically(directory / "f", "0123456789");
  append_to_file(directory / "f", "abcdefg");
  inject_file_faults({});
  EXPECT_EQ(read_file(directory / "f"), "0123456789abcdefg");
}

TEST(Files, AnyFailureWhileWritingIsAnErrorThatNamesFileAndReasonAndLeavesTheOldContent) {
  const TemporaryDirectory directory;
  write_file_atomically(directory / "f", "old");
  for (const char* name : {"create", "write", "fsync", "close", "rename"}) {
    inject_file_faults([&](FileOperation& operation) { return std::string(name) == operation.name ? ENOSPC : 0; });
    try {
      write_file_atomically(directory / "f", "new");
      ADD_FAILURE() << name << ": no error";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::io);
      const std::string message = error.what();
      EXPECT_EQ(message.find((directory / "f").string()), 0u) << message;
      EXPECT_NE(message.find("No space left on device"), std::string::npos) << message;
    }
    inject_file_faults({});
    EXPECT_EQ(read_file(directory / "f"), "old") << name;
    EXPECT_FALSE(std::filesystem::exists(directory / "f.partial")) << name;
  }
}

TEST(Files, Sha256OfPiecesIsThatOfTheWhole) {
  Sha256 sum;
  sum.add("a");
  EXPECT_EQ(sum.text(), sha256("a"));
  sum.add("bc");
  EXPECT_EQ(sum.text(), sha256("abc"));
}

TEST(Files, Sha256OfThePublishedTestVector) {
  EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

}  // namespace
}  // namespace logodds
