#include "core/json.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "core/log.h"

namespace logodds {
namespace {

std::string error_of(const std::string& text) {
  try {
    parse_json(text, "f");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::io);
    return error.what();
  }
  return "no error";
}

TEST(Json, RefusesWhatIsNoObjectAndNamesTheSource) {
  for (const char* text : {"", "[]", "1", "{", "{\"a\":1e999}", "{\"a\":\"\xff\"}"}) {
    EXPECT_EQ(error_of(text), "f: not a JSON object") << text;
  }
}

TEST(Json, RefusesNestingThatWouldOverflowAStackAndQuadraticObjects) {
  const auto nested = [](size_t levels) { return std::string(levels, '[') + std::string(levels, ']'); };
  EXPECT_EQ(error_of("{\"a\":" + nested(15) + "}"), "no error");
  EXPECT_EQ(error_of("{\"a\":" + nested(16) + "}"), "f: nested deeper than 16 levels");
  EXPECT_EQ(error_of("{\"a\":" + std::string(1 << 20, '[')), "f: nested deeper than 16 levels");
  EXPECT_EQ(error_of("{\"a\":\"" + std::string(100, '[') + "\\\"\"}"), "no error") << "brackets in a text nest nothing";
  std::string members = "{";
  for (int i = 0; i < 10001; ++i) members += "\"" + std::to_string(i) + "\":0,";
  EXPECT_EQ(error_of(members), "f: has more than 10000 members");
}

TEST(Json, AMemberOfAnotherTypeCountsAsMissing) {
  const auto json = parse_json(R"({"a": 1, "b": "x", "c": null})", "f");
  EXPECT_EQ(member_or(json, "a", 5), 1);
  EXPECT_EQ(member_or(json, "b", 5), 5);
  EXPECT_EQ(member_or(json, "b", std::string("y")), "x");
  EXPECT_EQ(member_or(json, "c", std::string("y")), "y");
  EXPECT_EQ(member_or(json, "d", std::string("y")), "y");
}

TEST(Json, TextThatIsNotUtf8IsWrittenAllTheSame) {
  EXPECT_EQ(to_json({{"name", "\xff"}}), "{\n \"name\": \"\xef\xbf\xbd\"\n}");
}

TEST(Printable, TextOfAFileCannotSteerATerminalNorFillIt) {
  EXPECT_EQ(printable("κ=1\n\x1b[2J\r\x7f\t"), "κ=1\n\\x1b[2J\\x0d\\x7f\t");
  EXPECT_EQ(printable(std::string(4096, 'a')), std::string(4096, 'a'));
  EXPECT_EQ(printable(std::string(100000, 'a') + "\nb"), std::string(4096, 'a') + "…\nb");
  const std::string cut = printable(std::string(4095, 'a') + "κκ");
  EXPECT_EQ(cut, std::string(4095, 'a') + "…") << "no half of a character";
}

}  // namespace
}  // namespace logodds
