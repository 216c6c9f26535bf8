// llc and spectrum as a user runs them.

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/experiments/program.h"

namespace logodds {
namespace {

using Json = nlohmann::json;

const std::string kQuick = "sampler.step_size=1e-4 localisation=300 chains=4 burn_in=60 draws=60 ";

class SamplingProgram : public Program {
 protected:
  SamplingProgram() {
    EXPECT_EQ(run("train c.yaml --out r training.steps=300 'runs={seed: [0]}' optimizer.learning_rate=0.01"), 0)
        << err();
  }
  Json json() { return Json::parse(out()); }
  std::vector<Json> metrics(const std::string& run) {
    std::istringstream text(read_file(directory / run / "metrics.jsonl"));
    std::vector<Json> rows;
    for (std::string line; std::getline(text, line);) rows.push_back(Json::parse(line));
    return rows;
  }
};

TEST_F(SamplingProgram, LlcHasDevinterpsKeysAndOurs) {
  const int code = run("llc r --json " + kQuick);
  ASSERT_TRUE(code == 0 || code == 6) << err();
  const Json row = json();
  for (const char* key : {"llc/mean", "llc/std", "llc-chain/3", "init_loss", "llc/interval", "r_hat", "ess_bulk",
                          "ess_tail", "distance/last", "chains_not_finite", "refused", "nbeta"}) {
    EXPECT_TRUE(row.contains(key)) << key;
  }
  EXPECT_EQ(row["loss/trace"].size(), 4u);
  EXPECT_EQ(row["loss/trace"][0].size(), 60u);
  EXPECT_EQ(row["loss/burn_in"][0].size(), 60u);
  EXPECT_EQ(row["examples"], 60);
  EXPECT_NEAR(row["nbeta"].get<double>(), 60 / std::log(60), 1e-9);
  EXPECT_NEAR(row["loss/burn_in"][0][0].get<double>(), row["init_loss"].get<double>(), 1e-9);
  // Refused or not, the mean of the chains is what the traces say.
  double mean = 0;
  for (const double loss : row["loss/trace"][3]) mean += loss / 60;
  EXPECT_NEAR(row["llc-chain/3"].get<double>(), row["nbeta"].get<double>() * (mean - row["init_loss"].get<double>()),
              1e-9);
  EXPECT_EQ(code == 0, row["refused"].empty());
  EXPECT_EQ(row["llc/mean"].is_null(), !row["refused"].empty());
}

TEST_F(SamplingProgram, ChainsKeptInAFileContinueToTheFiguresOfUninterruptedOnes) {
  for (const std::string sampler : {"sgld", "mala"}) {
    const std::string settings = "--json sampler.kind=" + sampler + " " + kQuick;
    run("llc r " + settings);
    const Json whole = json();
    run("llc r --state " + sampler + " " + settings + "draws=20");
    EXPECT_EQ(json()["loss/trace"][0].size(), 20u);
    run("llc r --state " + sampler + " " + settings);
    EXPECT_EQ(json(), whole) << sampler;
    EXPECT_EQ(run("llc r --state " + sampler + " " + settings + "localisation=3"), 2);
    EXPECT_NE(err().find("only 'draws' may change"), std::string::npos) << err();
  }
}

TEST_F(SamplingProgram, TheHookFindsWhatLlcFindsAndChangesNothing) {
  const std::string config =
      "training.steps=200 training.checkpoint_every_steps=100 training.keep_last_checkpoints=9 "
      "'runs={seed: [0, 1]}' optimizer.learning_rate=0.01 ";
  const std::string settings =
      "sampler: {kind: sgld, step_size: 1e-4}, localisation: 300, chains: 4, burn_in: 60, draws: 60";
  ASSERT_EQ(run("train c.yaml --out plain " + config + "'hooks={}'"), 0) << err();
  ASSERT_EQ(run("train c.yaml --out observed " + config + "'hooks={learning_coefficient: {every_steps: 100, " +
                settings + "}}'"),
            0)
      << err();
  const auto plain = metrics("plain"), observed = metrics("observed");
  ASSERT_EQ(plain.size(), observed.size());
  int estimates = 0;
  for (size_t i = 0; i < plain.size(); ++i) {
    Json row = observed[i];
    const int64_t step = row["step"], r = row["run"];
    if (step > 0 && step % 100 == 0 && r == 1) {
      run("llc observed --json --step " + std::to_string(step) + " --run " + std::to_string(r) + " " + kQuick);
      const Json found = json();
      double mean = 0;
      for (int chain = 0; chain < 4; ++chain) mean += found["llc-chain/" + std::to_string(chain)].get<double>() / 4;
      EXPECT_NEAR(row["learning_coefficient.estimate"].get<double>(), mean, 1e-9 * std::abs(mean)) << step;
      EXPECT_EQ(row["learning_coefficient.refusals"], found["refused"].size());
      EXPECT_EQ(row["learning_coefficient.mean"].is_null(), !found["refused"].empty());
      ++estimates;
    }
    for (auto entry = row.begin(); entry != row.end();) {
      entry = entry.key().starts_with("learning_coefficient.") ? row.erase(entry) : std::next(entry);
    }
    EXPECT_EQ(row, plain[i]);
  }
  EXPECT_EQ(estimates, 2);
}

TEST_F(SamplingProgram, AnEstimateThatCannotStandIsRefusedWithExitCodeSix) {
  EXPECT_EQ(run("llc r " + kQuick + "sampler.step_size=10"), 6);
  EXPECT_NE(out().find("refused: 4 of the chains left the finite numbers: use a smaller step_size"), std::string::npos)
      << out();
}

TEST_F(SamplingProgram, MistakesAreNamed) {
  EXPECT_EQ(run("llc r chainz=3"), 2);
  EXPECT_NE(err().find("unknown key 'chainz'"), std::string::npos) << err();
  EXPECT_EQ(run("llc r parameters=blocks.0.mpl"), 2);
  EXPECT_NE(err().find("the model has no 'blocks.0.mpl'"), std::string::npos) << err();
  EXPECT_EQ(run("llc r sampler=mala batch_size=10"), 2);
  EXPECT_EQ(run("llc r examples=test classes=[12]"), 2);
  EXPECT_EQ(run("spectrum r sampler=sgld"), 2);
  EXPECT_EQ(run("llc nowhere"), 4);
}

TEST_F(SamplingProgram, CalibrationTriesTheGridInOnePack) {
  ASSERT_EQ(run("llc r --calibrate --json " + kQuick + "burn_in=10 draws=10"), 0) << err();
  const Json points = json()["points"];
  EXPECT_EQ(points.size(), 25u);
  EXPECT_EQ(points[0]["step_size"], 1e-4 / 16);
  EXPECT_EQ(points[4]["step_size"], 1e-4 * 16);
}

TEST_F(SamplingProgram, ASpectrumHasALadderAndTheLevelsOfItsCircuits) {
  ASSERT_EQ(run("spectrum r --json -o s.csv temperatures=5 chains=3 burn_in=40 draws=40 localisation=10"), 0) << err();
  const Json row = json();
  ASSERT_EQ(row["points"].size(), 5u);
  EXPECT_NEAR(row["points"][4]["nbeta"].get<double>() / row["points"][0]["nbeta"].get<double>(), 1e5, 1);
  EXPECT_GT(row["points"][0]["energy"].get<double>(), row["points"][4]["energy"].get<double>());
  EXPECT_TRUE(row["points"][4]["exchange_rate"].is_null());
  EXPECT_EQ(row["levels"][0]["label"], "knowing nothing, ln V");
  EXPECT_NEAR(row["levels"][0]["loss"].get<double>(), std::log(11), 1e-12);
  EXPECT_NEAR(row["levels"][1]["loss"].get<double>(), row["init_loss"].get<double>() + std::log(11) / 60, 1e-12);
  EXPECT_EQ(row["levels"][2]["label"], "1 circuit");
  const std::string csv = read_file(directory / "s.csv");
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 6);
  ASSERT_EQ(run("spectrum r temperatures=5 chains=3 burn_in=40 draws=40 localisation=10"), 0) << err();
  EXPECT_NE(out().find("1 circuit"), std::string::npos) << out();
}

TEST_F(SamplingProgram, ASpectrumHasTheLevelOfTheChangedLabelsThatAreStored) {
  ASSERT_EQ(run("train c.yaml --out m training.steps=300 optimizer.learning_rate=0.01 task.random_labels=0.25 "
                "'runs={seed: [0]}' 'hooks={memorisation: {every_steps: 300}}'"),
            0)
      << err();
  const auto stored = metrics("m").back()["memorisation.stored"].get<int>();
  ASSERT_GT(stored, 0);
  ASSERT_EQ(run("spectrum m --json temperatures=2 chains=2 burn_in=2 draws=4"), 0) << err();
  const Json row = json(), level = row["levels"][2];
  EXPECT_EQ(level["label"], "its " + std::to_string(stored) + " stored changed labels less");
  const double chance = stored * std::log(11) / 60, known = row["init_loss"];
  EXPECT_LT(level["loss"].get<double>(), known + chance);
  EXPECT_GT(level["loss"].get<double>(), chance);
}

TEST_F(SamplingProgram, WhatCannotStandOfASpectrumIsSaid) {
  ASSERT_EQ(run("spectrum r --json temperatures=3 chains=3 burn_in=0 draws=10 localisation=0"), 0) << err();
  const Json row = json();
  int unmixed = 0;
  for (const auto& point : row["points"]) unmixed += point["r_hat"].is_null() || point["r_hat"].get<double>() > 1.1;
  ASSERT_GT(unmixed, 0);
  EXPECT_EQ(row["notes"][0], "the chains have not mixed at " + std::to_string(unmixed) +
                                 " of 3 temperatures (R̂ above 1.1): raise burn_in and draws");
}

TEST_F(SamplingProgram, EveryCheckpointIsSampledAsByItsStep) {
  ASSERT_EQ(run("train c.yaml --out k training.steps=30 training.checkpoint_every_steps=10 "
                "training.keep_last_checkpoints=9 'runs={seed: [0]}'"),
            0)
      << err();
  run("llc k --checkpoints --json " + kQuick + "draws=10");
  const Json all = json();
  ASSERT_EQ(all.size(), 3u);
  for (size_t i = 0; i < all.size(); ++i) {
    run("llc k --json --step " + std::to_string(10 * (i + 1)) + " " + kQuick + "draws=10");
    EXPECT_EQ(json(), all[i]);
  }
  run("llc k --checkpoints " + kQuick + "draws=10");
  EXPECT_NE(out().find("λ̂ against step"), std::string::npos) << out();
}

TEST_F(SamplingProgram, ListShowsTheSettings) {
  ASSERT_EQ(run("list sampling"), 0);
  EXPECT_NE(out().find("localisation"), std::string::npos);
  ASSERT_EQ(run("list samplers"), 0);
  for (const char* name : {"sgld", "rmsprop_sgld", "mala"}) EXPECT_NE(out().find(name), std::string::npos);
}

}  // namespace
}  // namespace logodds
