#include "experiments/sweep.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/files.h"
#include "experiments/report/csv.h"
#include "experiments/sweep_directory.h"
#include "tests/temporary_directory.h"

namespace logodds {
namespace {

const std::string kGood = "task: {kind: modular_addition, p: 11}\nmodel: {kind: mlp, d_embed: 4, hidden: [8]}\n";

/// The sweep of a text; its location is "f.yaml".
Sweep sweep_of(const std::string& text, const std::vector<std::string>& overrides = {}) {
  const TemporaryDirectory directory;
  const std::string path = (directory / "f.yaml").string();
  write_file_atomically(path, text);
  try {
    return Sweep::from_file(path, overrides);
  } catch (const Error& error) {
    std::string message = error.what();
    for (size_t at = message.find(path); at != std::string::npos; at = message.find(path)) {
      message.replace(at, path.size(), "f.yaml");
    }
    throw Error(message, error.code());
  }
}

std::string error_of(const std::string& text) {
  try {
    sweep_of(text);
    return "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::usage);
    return error.what();
  }
}

std::vector<std::string> names_of(const Sweep& sweep) {
  std::vector<std::string> names;
  for (const auto& pack : sweep.packs()) names.push_back(pack.name);
  return names;
}

using Names = std::vector<std::string>;

TEST(Sweep, IsTheProductOfItsAxesOneRunEach) {
  const Sweep sweep = sweep_of(kGood + "sweep: {optimizer.weight_decay: [0, .5], seed: {count: 2}}\n");
  EXPECT_EQ(names_of(sweep), (Names{"weight_decay=0,seed=0", "weight_decay=0,seed=1", "weight_decay=.5,seed=0",
                                    "weight_decay=.5,seed=1"}));
  EXPECT_EQ(sweep.packs()[3].experiment.seeds(), (std::vector<int64_t>{1}));
  EXPECT_EQ(sweep.packs()[3].experiment.run_label(0), "weight_decay .5, seed 1");
  EXPECT_EQ(sweep.packs()[3].values, (std::vector<Names>{{".5", "1"}}));
  EXPECT_EQ(sweep.packs()[3].experiment.options().threads, 1);
}

TEST(Sweep, RangesAreEvenlySpacedOrCountUpAndHaveNoRoundingTails) {
  const auto values = [](const std::string& spec) {
    const Sweep sweep = sweep_of(kGood + "sweep: {optimizer.learning_rate: " + spec + "}\n");
    std::string all;
    for (const auto& pack : sweep.packs()) all += pack.values[0][0] + " ";
    return all;
  };
  EXPECT_EQ(values("{from: .2, to: .8, count: 7}"), "0.2 0.3 0.4 0.5 0.6 0.7 0.8 ");
  EXPECT_EQ(values("{from: .001, to: .1, count: 3, scale: log}"), "0.001 0.01 0.1 ");
  EXPECT_EQ(values("{from: 3, count: 3}"), "3 4 5 ");
  EXPECT_EQ(values("{from: 1, to: 0, count: 2}"), "1 0 ");
}

TEST(Sweep, ValuesThatMayDifferBetweenRunsFillPacksAndOthersMakeThem) {
  const std::string text =
      kGood + "sweep: {task.train_fraction: [.3, .6], optimizer.weight_decay: [0, 1, 2], seed: {count: 4}, pack_runs: ";
  EXPECT_EQ(names_of(sweep_of(text + "100}\n")),
            (Names{"train_fraction=.3,weight_decay=0..2,seed=0..3", "train_fraction=.6,weight_decay=0..2,seed=0..3"}));
  const Sweep eight = sweep_of(text + "8}\n");
  EXPECT_EQ(names_of(eight),
            (Names{"train_fraction=.3,weight_decay=0..1,seed=0..3", "train_fraction=.3,weight_decay=2,seed=0..3",
                   "train_fraction=.6,weight_decay=0..1,seed=0..3", "train_fraction=.6,weight_decay=2,seed=0..3"}));
  EXPECT_EQ(eight.run_count(), 24u);
  // The values of each run are those that the trainer will give it.
  const SweepPack& pack = eight.packs()[2];
  ASSERT_EQ(pack.values.size(), 8u);
  EXPECT_EQ(pack.values[5], (Names{".6", "1", "1"}));
  EXPECT_EQ(pack.experiment.run_label(5), "weight_decay 1, seed 1");
  EXPECT_EQ(sweep_of(text + "3}\n").packs().size(), 2u * 3u * 2u);  // seeds 0..2 and 3
}

TEST(Sweep, ZippedKeysAdvanceTogether) {
  const Sweep sweep = sweep_of(
      kGood + "sweep: {zip: {model.hidden: [[8], [16, 16]], optimizer.learning_rate: [.1, .01]}, seed: {count: 2}}\n");
  EXPECT_EQ(sweep.packs().size(), 4u);
  EXPECT_EQ(sweep.packs()[3].values[0], (Names{"[16, 16]", ".01", "1"}));
}

TEST(Sweep, ItsResolvedFormIsTheSameSweep) {
  const Sweep sweep = sweep_of(kGood +
                               "sweep: {zip: {model.d_embed: [4, 8], optimizer.learning_rate: [.1, .01]}, "
                               "model.hidden: [[8], [16, 16]], seed: {count: 2}}\n");
  const Sweep again = sweep_of(sweep.resolved());
  EXPECT_EQ(names_of(again), names_of(sweep));
  EXPECT_EQ(again.resolved(), sweep.resolved());
  for (size_t i = 0; i < sweep.packs().size(); ++i) {
    EXPECT_EQ(again.packs()[i].experiment.resolved(), sweep.packs()[i].experiment.resolved());
  }
}

TEST(Sweep, OverridesReplaceAxes) {
  const Sweep sweep = sweep_of(kGood + "sweep: {optimizer.weight_decay: [0, 1], seed: {count: 10}}\n",
                               {"sweep.optimizer.weight_decay=[3]", "sweep.seed=[7]", "training.steps=5"});
  EXPECT_EQ(names_of(sweep), (Names{"weight_decay=3,seed=7"}));
  EXPECT_EQ(sweep.packs()[0].experiment.options().training.steps, 5);
}

TEST(Sweep, ErrorsNameFileLineAndKey) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"",
       "f.yaml:1:1: 'sweep' must be a map of keys with their values, such as {optimizer.weight_decay: [0, 1], seed: "
       "{count: 10}}; this configuration has none"},
      {"sweep: {seed: 3}\n",
       "f.yaml:3:15: 'sweep.seed' must be a list of values, {count: N} or {from: A, to: B, count: N}, not '3'"},
      {"sweep: {seed: {cuont: 3}}\n", "f.yaml:3:16: unknown key 'cuont' in 'sweep.seed' (did you mean 'count'?)"},
      {"sweep: {seed: {from: 3}}\n", "f.yaml:3:15: 'sweep.seed' needs 'count', how many values there are"},
      {"sweep: {seed: {to: 3, count: 2}}\n",
       "f.yaml:3:15: 'sweep.seed' has 'to': it needs 'from' and a 'count' of at least 2"},
      {"sweep: {seed: [0, 1, 0]}\n", "f.yaml:3:22: 'sweep.seed' has the value 0 twice"},
      {"sweep: {}\n", "f.yaml:3:8: 'sweep' varies nothing; name a key, such as seed: {count: 10}"},
      {"sweep: {optimizer.wieght_decay: [0, 1]}\n",
       "f.yaml:3:9: unknown key 'wieght_decay' in 'optimizer' (did you mean 'weight_decay'?)"},
      {"sweep: {optimizer.weight_decay: [0, -1, no]}\n",
       "f.yaml:3:37: 'optimizer.weight_decay' must be a number at least 0, not '-1'\n"
       "f.yaml:3:41: 'optimizer.weight_decay' must be a number at least 0, not 'no'"},
      {"sweep: {task.p: [12, 11], task.operation: [add, divide]}\n",
       "f.yaml:1:14: modular_addition: division needs a prime 'p', and 12 is not one"},
      {"sweep: {zip: {seed: [0, 1], task.p: [11]}}\n",
       "f.yaml:3:29: 'sweep.zip.task.p' has 1 values, 'seed' has 2; zipped keys need equally many"},
      {"sweep: {zip: {seed: [0, 1]}, seed: [2]}\n", "f.yaml:3:30: 'sweep' names 'seed' twice"},
      {"sweep: {seed: {count: 1000}, optimizer.weight_decay: {count: 1000}}\n",
       "f.yaml:3:8: 'sweep' makes 1e+06 runs; at most 100000 are possible"},
      {"runs: {seed: [0, 1]}\nsweep: {seed: [0, 1]}\n",
       "f.yaml:3:7: a sweep makes its packs itself; move these axes from 'runs' to 'sweep'"},
  };
  for (const auto& [text, message] : cases) EXPECT_EQ(error_of(kGood + text), message);
}

TEST(Sweep, TrainingASweepSaysWhichCommandItIsFor) {
  EXPECT_THROW(
      {
        try {
          Experiment::from_yaml(parse_yaml(kGood + "sweep: {seed: [0]}\n", "f.yaml"), "f");
        } catch (const Error& error) {
          EXPECT_STREQ(error.what(),
                       "f.yaml:3:8: 'sweep' asks for many trainings, and this is for one; use: logodds sweep");
          throw;
        }
      },
      Error);
}

/// A run of the table, as far as the summary reads it.
Row run_row(const char* decay, const char* seed, const char* state, Row step, double loss) {
  return {{"optimizer.weight_decay", decay}, {"seed", seed},           {"budget_steps", 100},    {"state", state},
          {"grokked", !step.is_null()},      {"test_grok_step", step}, {"grok_gap_steps", step}, {"test_loss", loss}};
}

TEST(SweepSummary, RunsThatNeverGrokAreCensoredAndOnesThatFailedAreLeftOut) {
  const Sweep sweep = sweep_of(kGood + "sweep: {optimizer.weight_decay: [0, 1], seed: {count: 3}}\n");
  const auto rows =
      summary(sweep, {run_row("0", "0", "finished", nullptr, 3), run_row("0", "1", "diverged", nullptr, 9),
                      run_row("0", "2", "finished", 40, 1), run_row("1", "0", "finished", 10, .1),
                      run_row("1", "1", "finished", 20, .2), run_row("1", "2", "failed", nullptr, 7)});
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0]["test_grok_step"], INFINITY);
  EXPECT_EQ(rows[0]["grokked"], 1);
  EXPECT_EQ(rows[0]["test_loss"], 1);  // of the two that finished
  EXPECT_EQ(rows[1]["test_grok_step"], 10);
  EXPECT_EQ(rows[1]["test_grok_step_high"], 20);
  EXPECT_EQ(rows[1]["finished"], 2);
}

TEST(Csv, QuotesWhatNeedsItAndLeavesNothingUndefined) {
  EXPECT_EQ(to_csv({{{"a,b", 1}, {"t", "say \"x\""}}, {{"t", nullptr}, {"v", {1, 2}}, {"w", INFINITY}}}),
            "\"a,b\",t,w\n1,\"say \"\"x\"\"\",\n,,inf\n");
  EXPECT_EQ(to_csv({{{"v", {1, nullptr}}}}, /*vectors=*/true), "v[0],v[1]\n1,\n");
}

}  // namespace
}  // namespace logodds
