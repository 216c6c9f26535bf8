// Published results: what an entry may be, how its figures are measured and judged, and the program that does it.

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/read_fields.h"
#include "experiments/published.h"
#include "experiments/report/results_page.h"
#include "tests/experiments/program.h"

namespace logodds {
namespace {

const double kNone = std::nan("");

TEST(PublishedResults, EveryEntryOfTheProgramReadsAndItsSettingsCanBeTrained) {
  ASSERT_GE(published_names().size(), 15u);
  for (const auto& name : published_names()) {
    const PublishedEntry entry = read_published(name);
    EXPECT_GT(entry.core_minutes, 0) << name;
    for (const auto& setting : entry.settings) EXPECT_NO_THROW(setting.sweep()) << name << ": " << setting.name;
    for (const auto& figure : entry.figures) EXPECT_FALSE(figure.why.empty()) << name << ": " << figure.what;
  }
}

Verdict judge(double low, double high, const Measured& measured) {
  PublishedFigure figure;
  figure.low = low;
  figure.high = high;
  return figure.verdict(measured);
}

TEST(PublishedResults, AreReproducedInsideTheToleranceUnclearWhereTheIntervalReachesIt) {
  EXPECT_EQ(judge(1, 2, {1.5, 0, 9, 0}), Verdict::reproduced);
  EXPECT_EQ(judge(1, 2, {2.5, 1.9, 3, 0}), Verdict::unclear);
  EXPECT_EQ(judge(1, 2, {2.5, 2.1, 3, 0}), Verdict::not_reproduced);
  EXPECT_EQ(judge(1, 2, {0.5, kNone, kNone, 0}), Verdict::not_reproduced);
  EXPECT_EQ(judge(1, 2, {kNone, kNone, kNone, 0}), Verdict::not_defined);
}

TEST(PublishedResults, WhatWasNotSeenIsJudgedByHowFarWasLooked) {
  const double never = INFINITY;
  EXPECT_EQ(judge(100, 200, {never, kNone, kNone, 300}), Verdict::not_reproduced);
  EXPECT_EQ(judge(100, 200, {never, kNone, kNone, 150}), Verdict::unclear);
  EXPECT_EQ(judge(100, never, {never, kNone, kNone, 150}), Verdict::reproduced);
  EXPECT_EQ(judge(100, never, {never, kNone, kNone, 50}), Verdict::unclear);
}

/// A run with the metrics x = 5, 7, 3 and null at the steps 0, 10, 20, 30.
class Rows : public MeasuredRun {
 public:
  const std::vector<Row>& metrics() const override { return rows_; }
  Row inspected(const std::string& figure) const override { return Row{{"name", figure}, {"list", {1, 2, 3}}}; }

 private:
  std::vector<Row> rows_{{{"step", 0}, {"x", 5}},
                         {{"step", 10}, {"x", 7}},
                         {{"step", 20}, {"x", 3}, {"list", {4, 5}}},
                         {{"step", 30}, {"x", nullptr}}};
};

double measured(const std::string& yaml) {
  const Node root = parse_yaml("measure: " + yaml, "test");
  Selection selection(measures());
  Problems problems;
  ReadFields reader(root, problems);
  reader.component({"measure", ""}, selection);
  problems.throw_if_any();
  return selection.make<Measure>()->of(Rows());
}

TEST(Measures, ReadTheMetrics) {
  EXPECT_EQ(measured("{kind: value, column: x, step: 20}"), 3);
  EXPECT_TRUE(std::isnan(measured("{kind: value, column: x}")));
  EXPECT_EQ(measured("{kind: value, column: list}"), 2) << "a list counts as its length";
  EXPECT_EQ(measured("{kind: extreme, column: x}"), 7);
  EXPECT_EQ(measured("{kind: extreme, column: x, report: step}"), 10);
  EXPECT_EQ(measured("{kind: extreme, column: x, which: smallest}"), 3);
  EXPECT_EQ(measured("{kind: extreme, column: x, from_step: 15}"), 3);
  EXPECT_EQ(measured("{kind: first_step, column: x, side: below, value: 5}"), 20);
  EXPECT_EQ(measured("{kind: first_step, column: x, value: 6}"), 10);
  EXPECT_EQ(measured("{kind: first_step, column: x, value: 8}"), INFINITY);
  EXPECT_EQ(measured("{kind: inspected, figure: any.list}"), 3);
}

TEST(Measures, SayWhatThereIsInsteadOfWhatThereIsNot) {
  const auto message = [](const std::string& yaml) {
    try {
      measured(yaml);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_NE(message("{kind: value, column: y}").find("no column 'y'"), std::string::npos);
  EXPECT_NE(message("{kind: value, column: x, step: 15}").find("not observed at step 15"), std::string::npos);
  EXPECT_NE(message("{kind: inspected, figure: any.lists}").find("did you mean 'list'"), std::string::npos);
}

class Reproduce : public Program {
 protected:
  /// A tiny setting that memorises at once, with two figures that are published as given.
  void entry(const std::string& train, const std::string& test, const std::string& more = "") {
    write_file_atomically(directory / "tiny.yaml",
                          "title: A tiny network\n"
                          "source: nowhere\n"
                          "core_minutes: 1\n"
                          "settings:\n"
                          "  net:\n"
                          "    task: {kind: modular_addition, p: 11, train_fraction: 0.5}\n"
                          "    model: {kind: mlp, d_embed: 16, hidden: [64]}\n"
                          "    optimizer: {learning_rate: 0.03}\n"
                          "    runs: {weight_decay: [0, 1], seed: [0, 1]}\n"
                          "    training: {steps: 60, evaluate_every_steps: 20, checkpoint_every_steps: 20}\n"
                          "figures:\n"
                          "  - {what: training accuracy, measure: {kind: value, column: train_accuracy}, published: " +
                              train +
                              ", reason: because}\n"
                              "  - {what: steps to grok, where: {optimizer.weight_decay: 0}, measure: grok_step, "
                              "published: " +
                              test + "}\n" + more);
  }
  std::string verdict(size_t figure) {
    return Row::parse(out()).at("figures").at(figure).at("verdict").get<std::string>();
  }
};

TEST_F(Reproduce, VerdictsFollowWhatIsPublished) {
  entry("{at_least: 0.99}", "{at_least: 40}");
  ASSERT_EQ(run("reproduce tiny.yaml --json"), 0) << err();
  EXPECT_EQ(verdict(0), "reproduced");
  EXPECT_EQ(verdict(1), "reproduced");
  EXPECT_EQ(Row::parse(out()).at("figures").at(0).at("runs"), 4);
  EXPECT_EQ(Row::parse(out()).at("figures").at(1).at("runs"), 2) << "of the runs that 'where' names";
  entry("0.2", "[1, 30]");
  ASSERT_EQ(run("reproduce tiny.yaml --json"), 0) << err();
  EXPECT_NE(err().find("4 of 4 trainings are done already"), std::string::npos) << err();
  EXPECT_EQ(verdict(0), "not reproduced");
  EXPECT_EQ(verdict(1), "not reproduced");
  EXPECT_EQ(Row::parse(out()).at("figures").at(0).at("reason"), "because");
}

TEST_F(Reproduce, ContinuesWhatWasKilled) {
  entry("1", "{at_least: 1}");
  ASSERT_EQ(run("reproduce tiny.yaml --out whole"), 0) << err();
  const std::string table = out();
  EXPECT_NE(table.find("> 60"), std::string::npos) << table;
  EXPECT_EQ(
      run_until_signal("reproduce tiny.yaml --out stopped --workers 1", "KILL", "stopped/net/weight_decay=0,seed=0"),
      137);
  ASSERT_EQ(run("reproduce tiny.yaml --out stopped"), 0) << err();
  EXPECT_EQ(out(), table);
}

TEST_F(Reproduce, NamesFileLineAndKeyOfWhatIsWrongInAnEntry) {
  entry("often", "1", "  - {what: x, setting: nets, mesure: value, measure: valu, published: 1, factor: 0.5}\n");
  EXPECT_EQ(run("reproduce tiny.yaml"), 2);
  EXPECT_NE(err().find("tiny.yaml:12:"), std::string::npos) << err();
  for (const char* words : {"'published' must be a number", "unknown key 'mesure'", "did you mean 'value'",
                            "'setting' must be one of the settings, not 'nets'", "'factor' must be"}) {
    EXPECT_NE(err().find(words), std::string::npos) << words << "\n" << err();
  }
  EXPECT_FALSE(exists("runs"));
  EXPECT_EQ(run("reproduce zhong203"), 2);
  EXPECT_NE(err().find("did you mean 'zhong2023'"), std::string::npos) << err();
}

TEST_F(Reproduce, NamesTheFigureThatItsRunsCannotAnswer) {
  entry("1", "1", "  - {what: x, where: {task.p: 11}, measure: value, published: 1}\n");
  EXPECT_EQ(run("reproduce tiny.yaml"), 2);
  EXPECT_NE(err().find("tiny.yaml:14:5: x: 'where' names 'task.p', which the setting 'net' does not vary"),
            std::string::npos)
      << err();
}

TEST_F(Reproduce, ListsAllEntriesAndWritesThePage) {
  ASSERT_EQ(run("reproduce"), 0) << err();
  for (const auto& name : published_names()) EXPECT_NE(out().find(name), std::string::npos);
  entry("1", "{at_least: 1}");
  ASSERT_EQ(run("reproduce tiny.yaml --page page.md"), 0) << err();
  EXPECT_NE(read_file(directory / "page.md").find("Not measured"), std::string::npos);
  ASSERT_EQ(run("reproduce tiny.yaml"), 0) << err();
  ASSERT_EQ(run("reproduce tiny.yaml --page page.md"), 0) << err();
  const std::string page = read_file(directory / "page.md");
  EXPECT_NE(page.find("| steps to grok | ≥ 1 | > 60 |"), std::string::npos) << page;
  EXPECT_NE(page.find("1 of 1 entries measured; 2 of their 2 figures reproduced"), std::string::npos) << page;
  EXPECT_EQ(page.find("Not measured"), std::string::npos);
}

}  // namespace
}  // namespace logodds
