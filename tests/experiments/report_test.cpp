#include <gtest/gtest.h>

#include <cmath>

#include "experiments/report/picture.h"
#include "experiments/report/plot.h"
#include "experiments/report/profile.h"
#include "experiments/report/table.h"

namespace logodds {
namespace {

TEST(Report, TablesAlignByCharactersNotBytes) {
  Table table({"circuit", "nats"});
  table.add({"κ=14", "+3.5"});
  table.rule();
  table.add({"sum", "-12"});
  EXPECT_EQ(table.text(),
            "circuit  nats\n"
            "κ=14     +3.5\n"
            "─────────────\n"
            "sum       -12\n");
}

TEST(Report, APictureShadesTwoPixelsPerCharacterAndTintsPatchesInColour) {
  const Row picture{{"height", 4},
                    {"width", 2},
                    {"pixels", {{0, 1}, {0, 1}, {1, 0}, {0, 0}}},
                    {"patches", {{3.0}, {-1.5}}},
                    {"background", 0.5}};
  EXPECT_EQ(picture_text(picture, false),
            " █\n"
            "▒ \n"
            "Evidence of each patch (exact Shapley values), nats; background +0.5\n"
            "+3\n"
            "-1.5\n");
  const std::string coloured = picture_text(picture, true);
  EXPECT_TRUE(coloured.starts_with("\033[38;2;0;110;0m\033[48;2;0;110;0m▀"));  // nothing, for the answer: green
  EXPECT_NE(coloured.find("\033[38;2;255;255;255m\033[48;2;55;0;0m▀"), std::string::npos);  // a stroke; below it red
}

TEST(Report, AProfileAddsUpEachPartsTimeSinceTheLastCall) {
  using std::chrono::milliseconds;
  std::chrono::steady_clock::time_point now{};
  Profile profile(at::kCPU, [&] { return now; });
  const auto spend = [&](int64_t ms, const char* part) {
    now += milliseconds(ms);
    profile.spent(part);
  };
  for (int step = 0; step < 2; ++step) {
    spend(10, "fold");
    spend(30, "tile step");
  }
  spend(20, "hook weight_norms");
  EXPECT_EQ(profile.text(2),
            "2 steps            ms per step    share  times  ms each\n"
            "tile step               30.000   60.0 %      2   30.000\n"
            "fold                    10.000   20.0 %      2   10.000\n"
            "hook weight_norms       10.000   20.0 %      1   20.000\n"
            "───────────────────────────────────────────────────────\n"
            "all                     50.000  100.0 %\n");
}

TEST(Report, AProfileOfNothingDividesByNothing) {
  EXPECT_EQ(Profile(at::kCPU).text(0),
            "0 steps  ms per step  share  times  ms each\n"
            "───────────────────────────────────────────\n"
            "all                –      –\n");
}

TEST(Report, OddsAreWrittenWithTheLargerSideFirstOrLast) {
  EXPECT_EQ(odds(std::log(99)), "99 : 1");
  EXPECT_EQ(odds(-std::log(99)), "1 : 99");
  EXPECT_EQ(odds(0), "1 : 1");
}

TEST(Report, FiguresThatAreNotNumbersHaveSigns) {
  EXPECT_EQ(figure(INFINITY), "∞");
  EXPECT_EQ(figure(std::nan("")), "–");
  EXPECT_EQ(figure(1234.5678), "1235");
  EXPECT_EQ(percent(0.9734), "97.3 %");
}

TEST(Report, PlotPutsTheLargestValueOnTopAndLeavesOutWhatCannotBeDrawn) {
  const std::string text = plot("loss", {{"run", {{0, 100}, {50, 1}, {100, 0}, {100, std::nan("")}}}}, /*log_y=*/true);
  EXPECT_EQ(text.find("loss\n      100 ┤A"), 0u) << text;
  EXPECT_EQ(std::count(text.begin(), text.end(), 'A'), 2);
}

TEST(Report, PlotHasALogarithmicXAxis) {
  const std::string text = plot("t", {{"run", {{0.01, 1}, {1, 2}, {100, 3}}}}, false, /*log_x=*/true);
  const auto row_of = [&](const std::string& label) {
    const auto at = text.find("        " + label + " ┤");
    return text.substr(at, text.find('\n', at) - at);
  };
  EXPECT_EQ(row_of("3").find('A') - row_of("1").find('A'), 63u) << text;
  const auto axis = text.substr(text.rfind("└"));
  for (const char* tick : {" 0.01 ", " 1 ", " 100\n"}) EXPECT_NE(axis.find(tick), std::string::npos) << text;
}

TEST(Report, AnEmptyPlotSaysSo) { EXPECT_EQ(plot("loss", {}, false), "loss\n  (nothing to draw)\n"); }

}  // namespace
}  // namespace logodds
