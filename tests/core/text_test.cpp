#include "core/text.h"

#include <gtest/gtest.h>

namespace logodds {
namespace {

TEST(Text, NearestFindsTransposedAndMissingLetters) {
  const std::vector<std::string> names{"weight_decay", "learning_rate", "beta1"};
  EXPECT_EQ(nearest("wieght_decay", names), "weight_decay");
  EXPECT_EQ(nearest("learning_rat", names), "learning_rate");
  EXPECT_EQ(nearest("momentum", names), std::nullopt);
}

TEST(Text, SuggestionListsCandidatesWhenNothingIsNear) {
  EXPECT_EQ(suggestion("sgdd", {"sgd", "adamw"}), " (did you mean 'sgd'?)");
  EXPECT_EQ(suggestion("lion", {"sgd", "adamw"}), " (one of: sgd, adamw)");
}

TEST(Text, IntegersAreDecimalAndWhole) {
  EXPECT_EQ(parse_integer("-12"), -12);
  for (const char* text : {"", "010", "1.0", "1e3", "0x10", "12 ", "+1", "9223372036854775808"}) {
    EXPECT_EQ(parse_integer(text), std::nullopt) << text;
  }
}

TEST(Text, RealsAreFiniteDecimals) {
  EXPECT_EQ(parse_real("1e-3"), 1e-3);
  EXPECT_EQ(parse_real(".5"), 0.5);
  EXPECT_EQ(parse_real("-0.25"), -0.25);
  for (const char* text : {"", "nan", "inf", ".inf", "1e999", "010", "1,5", "0x1p3"}) {
    EXPECT_EQ(parse_real(text), std::nullopt) << text;
  }
}

TEST(Text, ShortestReadsBackAsTheSameNumber) {
  for (const double value : {0.1, 1e-8, 1.0 / 3, 123456789.0, 5e-324}) EXPECT_EQ(parse_real(shortest(value)), value);
}

}  // namespace
}  // namespace logodds
