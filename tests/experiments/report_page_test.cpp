// What a report and event files are made of. Reports in a browser: tests/report/.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "experiments/report/figure.h"
#include "experiments/report/page.h"
#include "experiments/report/tensorboard.h"
#include "tests/experiments/program.h"

namespace logodds {
namespace {

Points ramp(size_t n) {
  Points points;
  for (size_t i = 0; i < n; ++i) points.emplace_back(static_cast<double>(i), static_cast<double>(i));
  return points;
}

TEST(Thinned, KeepsShortCurvesAsTheyAre) {
  const Points points = ramp(600);
  EXPECT_EQ(thinned(points), points);
}

TEST(Thinned, KeepsBothEndsAndEverySpikeOfALongCurveInOrder) {
  Points points = ramp(10000);
  points[7].second = 1e9;      // early, where a logarithmic axis is wide
  points[5432].second = -1e9;  // anywhere
  const Points kept = thinned(points);
  EXPECT_LT(kept.size(), 700u);
  EXPECT_TRUE(std::ranges::is_sorted(kept));
  EXPECT_EQ(kept.front(), points.front());
  EXPECT_EQ(kept.back(), points.back());
  EXPECT_EQ(std::ranges::count(kept, points[7]), 1);
  EXPECT_EQ(std::ranges::count(kept, points[5432]), 1);
}

TEST(Thinned, LeavesGapsWhereNothingWasDefined) {
  Points points = ramp(10000);
  for (size_t i = 2000; i < 8000; ++i) points[i].second = std::nan("");
  const Points kept = thinned(points);
  EXPECT_TRUE(std::ranges::any_of(kept, [](const auto& point) { return std::isnan(point.second); }));
  EXPECT_EQ(drawn(std::nan("")), Row(nullptr));
  EXPECT_EQ(drawn(INFINITY), Row(nullptr));
}

TEST(Drawn, HasSixDigits) { EXPECT_EQ(drawn(1.0 / 3).dump(), "0.333333"); }

TEST(Page, NoTextEndsTheElementThatItStandsIn) {
  ReportFigure figure{.id = "one", .title = "</script><b>", .caption = "{{plotly}}", .formula = "<!--"};
  figure.csv = "</script>\n1\n";
  std::string html;
  try {
    html = to_html({.title = "</title><i>",
                    .made = "",
                    .runs = {{"</script>"}},
                    .configuration = "a: <script>",
                    .figures = {figure}});
  } catch (const Error& error) {
    GTEST_SKIP() << error.what();
  }
  EXPECT_EQ(html.find("</script><b>"), std::string::npos);
  EXPECT_NE(html.find("\\u003c/script>\\u003cb>"), std::string::npos);
  EXPECT_NE(html.find("<title>&lt;/title&gt;&lt;i&gt;</title>"), std::string::npos);
  EXPECT_NE(html.find("{{plotly}}"), std::string::npos);  // what is put in is not looked at again
  EXPECT_EQ(html.find("<!--"), std::string::npos);
  EXPECT_EQ(html.find("a: <script>"), std::string::npos);
}

TEST(Crc32c, IsThatOfItsSpecification) {
  EXPECT_EQ(crc32c("123456789"), 0xe3069283u);  // RFC 3720 and every implementation's check value
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43u);
}

TEST_F(Program, AReportOfNothingThatWasTrainedSaysSo) {
  EXPECT_EQ(run("report nothing"), 4);
  EXPECT_EQ(err(), "nothing: is not a run directory (it has no config.yaml)\n");
}

TEST_F(Program, TablesOfEventFilesStandInADirectoryPerRun) {
  ASSERT_EQ(run("train c.yaml --out r training.steps=10"), 0) << err();
  ASSERT_EQ(run("table r --tensorboard events"), 0) << err();
  EXPECT_TRUE(exists("events/r/seed=1,weight_decay=0/events.out.tfevents.0.logodds")) << err();
  EXPECT_EQ(run("table r --tensorboard events --out x.csv"), 2);
}

}  // namespace
}  // namespace logodds
