#include "core/yaml.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace logodds {
namespace {

std::string error_of(const std::string& text) {
  try {
    parse_yaml(text, "f.yaml");
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(Yaml, KeepsOrderValuesAndPlaces) {
  const Node root = parse_yaml("b: 1\na: [x, 'y']\n", "f.yaml");
  ASSERT_EQ(root.entries.size(), 2u);
  EXPECT_EQ(root.entries[0].first, "b");
  EXPECT_EQ(root.find("a")->items[1].where.text(), "f.yaml:2:8");
  EXPECT_TRUE(root.find("a")->items[1].quoted);
  EXPECT_FALSE(root.find("a")->items[0].quoted);
}

TEST(Yaml, RefusesDuplicateKeys) {
  EXPECT_EQ(error_of("a: 1\nb: 2\na: 3\n"), "f.yaml:3:1: key 'a' stands twice, first at line 1");
}

TEST(Yaml, RefusesAnchorsSoThatNoAliasCanExpandOrRecurse) {
  EXPECT_NE(error_of("a: &a [*a]\n").find("f.yaml:1:4: anchors are not supported ('&a')"), std::string::npos);
  EXPECT_NE(error_of("a: *b\n").find("f.yaml:1"), std::string::npos);
}

TEST(Yaml, RefusesASecondDocument) {
  EXPECT_EQ(error_of("a: 1\n---\nb: 2\n"), "f.yaml:3:1: a second document begins here; a configuration has one");
}

TEST(Yaml, RefusesTags) {
  EXPECT_NE(error_of("a: !!int 3\n").find("tags are not supported"), std::string::npos);
  EXPECT_NE(error_of("a: !x {b: 1}\n").find("tags are not supported"), std::string::npos);
}

TEST(Yaml, RefusesDeepNestingLargeFilesAndNulBytes) {
  const auto nested = [](size_t depth) { return "a: " + std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_EQ(error_of(nested(31)), "no error");
  EXPECT_EQ(error_of(nested(32)), "f.yaml:1:35: nested deeper than 32 levels");
  EXPECT_EQ(error_of(nested(100000)).substr(0, 7), "f.yaml:");  // no stack overflow, whoever refuses it first
  EXPECT_NE(error_of(std::string((1 << 20) + 1, ' ')).find("larger than 1 MiB"), std::string::npos);
  EXPECT_NE(error_of(std::string("a: \0", 4)).find("NUL byte"), std::string::npos);
}

TEST(Yaml, RefusesBytesThatAreNoText) {
  const std::string what = ": a byte that is no text; a configuration is UTF-8";
  for (const char* bad : {"\x1b", "\x7f", "\r", "\xff", "\xc3", "\xc0\xaf", "\xc2\x85", "\xe0\x80\xaf", "\xed\xa0\x80",
                          "\xf4\x90\x80\x80", "\xf8\x88\x80\x80"}) {
    EXPECT_EQ(error_of("a: κ\nbé: " + std::string(bad)), "f.yaml:2:5" + what);
  }
  EXPECT_EQ(error_of("\xef\xbb\xbf"
                     "a: κ→😀\t# x\r\nb: 1\r\n"),
            "no error");
}

TEST(Yaml, RefusesTextsThatCannotBePrintedAlsoWhereTheyAreWrittenWithLetters) {
  EXPECT_EQ(error_of("a: \"\\x1b[2J\""), "f.yaml:1:4: a text with a character that cannot be printed");
  EXPECT_EQ(error_of("\"\\0\": 1"), "f.yaml:1:1: a text with a character that cannot be printed");
  EXPECT_EQ(error_of("a: \"\\t\\n\\u03ba\""), "no error");
}

TEST(Yaml, RefusesMoreThanAHundredThousandValues) {
  std::string text = "a: [0";
  for (int i = 0; i < 100001; ++i) text += ",0";
  EXPECT_NE(error_of(text + "]\n").find("more than 100000 values"), std::string::npos);
}

TEST(Yaml, RefusesKeysThatAreNotWords) {
  EXPECT_NE(error_of("[a, b]: 1\n").find("a key must be a plain word"), std::string::npos);
}

TEST(Yaml, NamesThePlaceOfASyntaxError) { EXPECT_EQ(error_of("a: [1, 2\n").substr(0, 9), "f.yaml:2:"); }

TEST(Yaml, AnEmptyDocumentIsAnEmptyMap) { EXPECT_EQ(parse_yaml("# nothing\n", "f").kind, Node::Kind::map); }

TEST(Yaml, WritesWhatItReadsBack) {
  const std::string text = "a: 1\nb:\n  c: [1, 2]\n  d: \"null\"\ne: \"x: y # z\"\n";
  const Node root = parse_yaml(text, "f");
  const Node again = parse_yaml(to_yaml(root), "g");
  EXPECT_EQ(to_yaml(again), to_yaml(root));
  EXPECT_EQ(again.find("e")->value, "x: y # z");
  EXPECT_EQ(again.find("b")->find("d")->kind, Node::Kind::scalar);
}

TEST(Yaml, OverridesReachNestedKeysAndExpandBareComponentNames) {
  Node root = parse_yaml("task: modular_addition\n", "f");
  apply_override(root, "task.p=59");
  apply_override(root, "runs.seed=[0, 1]");
  EXPECT_EQ(root.find("task")->find("kind")->value, "modular_addition");
  EXPECT_EQ(root.find("task")->find("p")->value, "59");
  EXPECT_EQ(root.find("runs")->find("seed")->items.size(), 2u);
  EXPECT_EQ(root.find("task")->find("p")->where.text(), "command line 'task.p=59'");
}

TEST(Yaml, RefusesWhatIsNoOverride) {
  Node root = parse_yaml("a: [1]\n", "f");
  EXPECT_THROW(apply_override(root, "steps"), Error);
  EXPECT_THROW(apply_override(root, "=3"), Error);
  EXPECT_THROW(apply_override(root, "a.b=3"), Error);
  EXPECT_THROW(apply_override(root, "x..y=3"), Error);
}

}  // namespace
}  // namespace logodds
