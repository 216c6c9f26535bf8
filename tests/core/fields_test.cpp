#include "core/fields.h"

#include <gtest/gtest.h>

#include "core/list_fields.h"
#include "core/read_fields.h"
#include "core/write_fields.h"

namespace logodds {
namespace {

struct Engine {
  struct Options {
    PerRun<double> rate{0.5};
    void fields(Fields& fields) { fields.per_run({"rate", "how fast"}, rate, above(0)); }
  };
  explicit Engine(const Options& given) : options(given) {
    if (options.rate.value > 100) throw Error("too fast");
  }
  Options options;
};

const Catalogue& engines() {
  static const Catalogue catalogue("engines",
                                   {entry<Engine, Engine>("diesel", ""), entry<Engine, Engine>("steam", "")});
  return catalogue;
}

struct Config {
  int64_t steps = 3;
  bool fast = false;
  std::string colour = "red";
  std::string name = "x";
  std::vector<int64_t> widths{1};
  PerRun<int64_t> seed{0};
  Selection engine{engines(), "diesel"};
  std::vector<Selection> spares;
  RunAxes runs;
  void fields(Fields& fields) {
    fields.section({"training", ""}, [this](Fields& inside) {
      inside.integer({"steps", "how many"}, steps, between(1, 10));
    });
    fields.flag({"fast", ""}, fast);
    fields.choice({"colour", ""}, colour, {"red", "green"});
    fields.text({"name", ""}, name);
    fields.integers({"widths", ""}, widths, at_least(1));
    fields.per_run({"seed", ""}, seed, at_least(0));
    fields.component({"engine", ""}, engine);
    fields.components({"spares", ""}, spares, Selection(engines()));
    fields.axes({"runs", ""}, runs);
  }
};

std::string read(const std::string& text, Config& config) {
  Problems problems;
  const Node root = parse_yaml(text, "f");
  ReadFields reader(root, problems);
  config.fields(reader);
  reader.finish();
  try {
    problems.throw_if_any();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

std::string problems_of(const std::string& text) {
  Config config;
  return read(text, config);
}

TEST(Fields, DefaultsStandWhereNothingIsWritten) {
  Config config;
  EXPECT_EQ(read("training: {steps: 7}\nfast: true\n", config), "");
  EXPECT_EQ(config.steps, 7);
  EXPECT_TRUE(config.fast);
  EXPECT_EQ(config.colour, "red");
}

TEST(Fields, UnknownKeysNameTheNearestKnownOne) {
  EXPECT_EQ(problems_of("training: {stps: 3}\n"), "f:1:12: unknown key 'stps' in 'training' (did you mean 'steps'?)");
  EXPECT_EQ(problems_of("fsat: true\n"), "f:1:1: unknown key 'fsat' in the configuration (did you mean 'fast'?)");
}

TEST(Fields, AllProblemsAreReportedAtOnce) {
  EXPECT_EQ(problems_of("training: {steps: 0}\nfast: yes\ncolour: blue\nwidths: 3\n"),
            "f:1:19: 'training.steps' must be a whole number in [1, 10], not '0'\n"
            "f:2:7: 'fast' must be true or false, not 'yes'\n"
            "f:3:9: 'colour' must be one of red, green, not 'blue'\n"
            "f:4:9: 'widths' must be a list of whole numbers, not '3'");
}

TEST(Fields, QuotedNumbersAndTruthValuesAreText) {
  EXPECT_EQ(problems_of("training: {steps: \"3\"}\n"),
            "f:1:19: 'training.steps' must be a whole number in [1, 10], not the text \"3\"");
  EXPECT_EQ(problems_of("fast: \"true\"\n"), "f:1:7: 'fast' must be true or false, not the text \"true\"");
}

TEST(Fields, ComponentsAreChosenByNameOrByKind) {
  Config config;
  EXPECT_EQ(read("engine: steam\n", config), "");
  EXPECT_EQ(config.engine.name(), "steam");
  EXPECT_EQ(read("engine: {kind: steam, rate: 2}\n", config), "");
  EXPECT_EQ(config.engine.make<Engine>()->options.rate.value, 2);
  EXPECT_EQ(problems_of("engine: steem\n"),
            "f:1:9: 'engine' must name one of engines, not 'steem' (did you mean 'steam'?)");
  EXPECT_EQ(problems_of("spares: {steem: {}}\n"), "f:1:10: unknown key 'steem' in 'spares' (did you mean 'steam'?)");
  EXPECT_EQ(problems_of("spares: [steam]\n"),
            "f:1:9: 'spares' must be a map, each of engines under its name, not a list; for example {diesel: {}}");
}

TEST(Fields, ErrorsOfAConstructorNameThePlaceOfTheComponent) {
  Config config;
  ASSERT_EQ(read("fast: true\nengine: {kind: steam, rate: 101}\n", config), "");
  try {
    config.engine.make<Engine>();
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "f:2:16: steam: too fast");
  }
}

TEST(Fields, RunAxesSpreadOverPerRunFieldsFirstAxisSlowest) {
  Config config;
  ASSERT_EQ(read("engine: {rate: 9}\nruns: {seed: [5, 6], rate: [1, 2, 3]}\n", config), "");
  EXPECT_EQ(config.runs.run_count(), 6u);
  EXPECT_EQ(config.seed.all(6), (std::vector<int64_t>{5, 5, 5, 6, 6, 6}));
  EXPECT_EQ(config.engine.make<Engine>()->options.rate.runs, (std::vector<double>{1, 2, 3, 1, 2, 3}));
  EXPECT_EQ(config.runs.axes[1].first, "engine.rate");
}

TEST(Fields, RunAxesRefuseWhatCannotDiffer) {
  EXPECT_EQ(problems_of("runs: {steps: [1, 2]}\n"),
            "f:1:16: 'runs.steps' is not a key that can differ between runs (one of: seed, engine.rate)");
  EXPECT_EQ(problems_of("runs: {seed: 3}\n"), "f:1:14: 'runs.seed' must be a list with at least one value, not '3'");
  EXPECT_EQ(problems_of("runs: {rate: [-1]}\n"), "f:1:15: 'runs.engine.rate' must be a number above 0, not '-1'");
  EXPECT_EQ(problems_of("runs: {rate: [1], engine.rate: [1]}\n"), "f:1:33: 'runs' names 'engine.rate' twice");
}

TEST(Fields, AnAmbiguousAxisNeedsItsFullKey) {
  Config config;
  EXPECT_NE(read("spares: {steam: {}}\nruns: {rate: [1]}\n", config), "");
  Config full;
  EXPECT_EQ(read("spares: {steam: {}}\nruns: {spares.steam.rate: [1, 4]}\n", full), "");
  EXPECT_EQ(full.spares[0].make<Engine>()->options.rate.at(1), 4);
}

TEST(Fields, TheWrittenConfigurationReadsBackAsTheSame) {
  Config config;
  ASSERT_EQ(read("engine: {kind: steam, rate: 0.1}\nspares: {diesel: {rate: 3}}\nname: null-ish\nwidths: [4, 5]\n"
                 "runs: {seed: [1, 2]}\n",
                 config),
            "");
  WriteFields writer;
  config.fields(writer);
  const std::string text = to_yaml(writer.take());
  Config again;
  ASSERT_EQ(read(text, again), "") << text;
  WriteFields second;
  again.fields(second);
  EXPECT_EQ(to_yaml(second.take()), text);
  EXPECT_NE(text.find("rate: 0.1"), std::string::npos);
}

TEST(Fields, TheListNamesEveryKeyWithDefaultAndRange) {
  Config config;
  ListFields list;
  config.fields(list);
  EXPECT_EQ(list.descriptions()[0].key, "training.steps");
  EXPECT_EQ(list.descriptions()[0].value, "3");
  EXPECT_EQ(list.descriptions()[0].allowed, "a whole number in [1, 10]");
  EXPECT_TRUE(list.descriptions()[5].per_run);
}

}  // namespace
}  // namespace logodds
