// The program as a user runs it: exit codes, files, messages.

#include "tests/experiments/program.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "core/files.h"
#include "core/metrics.h"
#include "core/safetensors.h"
#include "tests/experiments/faulty_server.h"

namespace logodds {
namespace {

using namespace nlohmann::literals;

TEST_F(Program, TrainLeavesACompleteRunDirectory) {
  ASSERT_EQ(run("train c.yaml"), 0) << err();
  const auto rows = read_metrics(directory / "runs/c/metrics.jsonl");
  EXPECT_EQ(rows.size(), 4u * 4u);
  EXPECT_TRUE(rows[0].contains("logit_decomposition.restricted_loss_test"));
  EXPECT_TRUE(rows[0].contains("logit_bloat.radial_total_train"));
  EXPECT_TRUE(rows[0].contains("weight_norms.total"));
  const auto provenance = nlohmann::json::parse(read_file(directory / "runs/c/provenance.json"));
  for (const char* key : {"logodds", "commit", "libtorch", "device", "threads", "command_line"}) {
    EXPECT_TRUE(provenance.contains(key)) << key;
  }
  EXPECT_TRUE(exists("runs/c/checkpoints/00000030/manifest.json"));
  EXPECT_NE(err().find("step 30/30"), std::string::npos);
}

TEST_F(Program, ProfilePrintsWhereTheTimeWentAndChangesNothing) {
  ASSERT_EQ(run("train c.yaml --out plain"), 0) << err();
  EXPECT_EQ(out(), "");
  ASSERT_EQ(run("train c.yaml --out profiled --profile"), 0) << err();
  for (const char* part : {"30 steps", "fold", "tile step", "backward of the fold", "optimizer", "evaluation",
                           "hook logit_bloat", "writing metrics", "checkpoint", "the rest", "all"}) {
    EXPECT_NE(("\n" + out()).find(std::string("\n") + part + " "), std::string::npos) << part << out();
  }
  EXPECT_EQ(read_file(directory / "profiled/metrics.jsonl"), read_file(directory / "plain/metrics.jsonl"));
}

TEST_F(Program, AnExistingRunIsNeverOverwritten) {
  ASSERT_EQ(run("train c.yaml --out r training.steps=1"), 0);
  const std::string before = read_file(directory / "r/metrics.jsonl");
  EXPECT_EQ(run("train c.yaml --out r"), 4);
  EXPECT_EQ(err(), "r: exists already; continue it with --resume or choose another place with --out DIR\n");
  EXPECT_EQ(read_file(directory / "r/metrics.jsonl"), before);
}

TEST_F(Program, BadInputLeavesNoRunDirectory) {
  EXPECT_EQ(run("train c.yaml model.heads=3"), 2);
  EXPECT_EQ(run("train c.yaml task.p=no"), 2);
  EXPECT_EQ(run("train missing.yaml"), 4);
  EXPECT_EQ(err(), "missing.yaml: cannot open: No such file or directory\n");
  EXPECT_FALSE(exists("runs"));
}

TEST_F(Program, UsageErrorsExitWithTwo) {
  EXPECT_EQ(run("trian c.yaml"), 2);
  EXPECT_EQ(run("train"), 2);
  EXPECT_EQ(run("train c.yaml steps"), 2);
  EXPECT_EQ(run("list nothing"), 2);
  EXPECT_EQ(run("--help"), 0);
  EXPECT_EQ(run("--version"), 0);
}

TEST_F(Program, AResumedRunEqualsTheUninterruptedOneByteForByte) {
  ASSERT_EQ(run("train c.yaml --out whole"), 0);
  ASSERT_EQ(run("train c.yaml --out part training.steps=20"), 0);
  ASSERT_EQ(run("train c.yaml --out part --resume"), 0) << err();
  EXPECT_EQ(read_file(directory / "part/metrics.jsonl"), read_file(directory / "whole/metrics.jsonl"));
  for (const char* name : {"run-0.safetensors", "run-3.safetensors", "state.safetensors"}) {
    const std::string file = std::string("checkpoints/00000030/") + name;
    EXPECT_EQ(read_file(directory / ("part/" + file)), read_file(directory / ("whole/" + file))) << name;
  }
}

TEST_F(Program, ResumeFallsBackLoudlyWhenTheNewestCheckpointIsDamaged) {
  ASSERT_EQ(run("train c.yaml --out whole"), 0);
  ASSERT_EQ(run("train c.yaml --out part training.steps=20"), 0);
  write_file_atomically(directory / "part/checkpoints/00000020/run-0.safetensors", "damaged");
  ASSERT_EQ(run("train c.yaml --out part --resume"), 0);
  EXPECT_NE(err().find("run-0.safetensors: is damaged"), std::string::npos) << err();
  EXPECT_EQ(read_file(directory / "part/metrics.jsonl"), read_file(directory / "whole/metrics.jsonl"));
}

TEST_F(Program, ResumeRefusesAnotherConfigurationAndARunThatIsNotThere) {
  ASSERT_EQ(run("train c.yaml --out r training.steps=10"), 0);
  EXPECT_EQ(run("train c.yaml --out r --resume optimizer.beta1=0.5"), 2);
  EXPECT_NE(err().find("was started with another configuration: there '  beta1: 0.9', now '  beta1: 0.5'"),
            std::string::npos);
  EXPECT_EQ(run("train c.yaml --out nowhere --resume"), 4);
  EXPECT_FALSE(exists("nowhere"));
}

TEST_F(Program, ControlCSavesAtTheNextStepAndTheRunContinuesAsIfUninterrupted) {
  ASSERT_EQ(run_until_signal("train c.yaml --out r training.steps=1000000", "INT", "r"), 130) << err();
  const std::string words = "saved at step ";
  const size_t at = err().find(words);
  ASSERT_NE(at, std::string::npos) << err();
  const std::string steps = " training.steps=" + std::to_string(std::stoll(err().substr(at + words.size())) + 13);
  ASSERT_EQ(run("train r/config.yaml --resume" + steps), 0) << err();
  ASSERT_EQ(run("train c.yaml --out whole" + steps), 0);
  EXPECT_EQ(read_file(directory / "r/metrics.jsonl"), read_file(directory / "whole/metrics.jsonl"));
}

TEST_F(Program, TerminationSavesAndEndsWith143) {
  EXPECT_EQ(run_until_signal("train c.yaml --out r training.steps=1000000", "TERM", "r"), 143);
  EXPECT_EQ(run("inspect r"), 0) << err();
}

TEST_F(Program, DivergenceExitsWithFive) {
  EXPECT_EQ(run("train c.yaml --out r optimizer.learning_rate=1e30"), 5);
  EXPECT_NE(err().find("is not finite"), std::string::npos) << err();
}

TEST_F(Program, InspectGivesTheFiguresOfTheMetricsFile) {
  ASSERT_EQ(run("train c.yaml --out r"), 0);
  ASSERT_EQ(run("inspect r --json"), 0) << err();
  const auto seen = nlohmann::json::parse(out());
  const auto rows = read_metrics(directory / "r/metrics.jsonl");
  ASSERT_EQ(seen.size(), 4u);
  for (size_t run = 0; run < 4; ++run) {
    const auto& row = rows[rows.size() - 4 + run];
    for (const char* key :
         {"test_loss", "logit_decomposition.excluded_loss_test", "logit_bloat.rms_test", "weight_norms.total"}) {
      EXPECT_EQ(seen[run][key], row[key]) << key;
    }
  }
  EXPECT_EQ(run("inspect r --step 20"), 0);
  EXPECT_NE(out().find("Step 20"), std::string::npos);
  EXPECT_EQ(run("inspect r --step 7"), 2);
  EXPECT_EQ(err(), "r: has no checkpoint of step 7; there are 20, 30\n");
}

TEST_F(Program, InspectOneInputAddsUpToTheModelsMargin) {
  ASSERT_EQ(run("train c.yaml --out r"), 0);
  ASSERT_EQ(run("inspect r --run 2 --input 7,9 --json"), 0) << err();
  const auto seen = nlohmann::json::parse(out());
  EXPECT_EQ(seen["question"], "7 + 9 mod 11");
  EXPECT_EQ(seen["target"], 5);
  double sum = 0;
  for (const auto& circuit : seen["circuits"]) sum += circuit["evidence"].get<double>();
  EXPECT_EQ(seen["circuits"].size(), 5u);
  EXPECT_NEAR(sum, seen["margin"].get<double>(), 1e-5);
  EXPECT_NE(seen["runner_up"], seen["target"]);
  ASSERT_EQ(run("inspect r --run 2 --input 7,9"), 0);
  EXPECT_NE(out().find("model's own logits"), std::string::npos);
}

nlohmann::json parsed(const std::string& text) { return nlohmann::json::parse(text); }

TEST_F(Program, InspectCircuitsAddsUpForEveryDecomposition) {
  ASSERT_EQ(run("train c.yaml --out r"), 0);
  for (const char* name : {"output_frequency", "neuron_clusters", "residual_paths", "svd"}) {
    ASSERT_EQ(run(std::string("inspect r --run 1 --json --cross output_frequency --circuits ") + name), 0) << err();
    const auto seen = parsed(out());
    EXPECT_LT(seen["completeness_error"].get<double>(), 1e-12) << name;
    double energy = 0, margin = 0, overlap = 0;
    for (const auto& circuit : seen["circuits"]) {
      energy += circuit["energy_share"].get<double>();
      margin += circuit["margin"]["mean"].get<double>();
    }
    for (const auto& row : seen["cross"]["overlap"]) {
      for (const auto& value : row) overlap += value.get<double>();
    }
    EXPECT_NEAR(energy, 1, 1e-10) << name;
    EXPECT_NEAR(overlap, 1, 1e-10) << name;
    EXPECT_NEAR(margin, seen["sets"]["all"]["margin"]["mean"].get<double>(), 1e-10) << name;
    EXPECT_EQ(seen.contains("ablation"), !seen["key_circuits"].empty()) << name;
    for (const auto& row : seen.value("/ablation/interaction_margin"_json_pointer, nlohmann::json::array())) {
      for (const auto& value : row) EXPECT_NEAR(value.get<double>(), 0, 1e-10) << name;
    }
    ASSERT_EQ(run(std::string("inspect r --run 1 --circuits ") + name), 0) << err();
    EXPECT_NE(out().find("completeness error"), std::string::npos);
  }
}

TEST_F(Program, DroppingCircuitsAndKeepingTheOthersIsTheSame) {
  ASSERT_EQ(run("train c.yaml --out r"), 0);
  ASSERT_EQ(run("inspect r --circuits output_frequency --drop κ=2,κ=5 --json"), 0) << err();
  const auto dropped = parsed(out());
  ASSERT_EQ(run("inspect r --circuits output_frequency --keep κ=1,κ=3,κ=4 --json"), 0) << err();
  const auto kept = parsed(out());
  EXPECT_EQ(dropped["kept"], kept["kept"]);
  EXPECT_NE(dropped["kept"]["sets"]["test"]["loss"], dropped["sets"]["test"]["loss"]);
  ASSERT_EQ(run("inspect r --circuits output_frequency --keep κ=1,κ=3 --input 7,9 --json"), 0) << err();
  const auto evidence = parsed(out());
  EXPECT_EQ(evidence["circuits"].size(), 2u);
  EXPECT_NEAR(evidence["sum"].get<double>(),
              evidence["circuits"][0]["evidence"].get<double>() + evidence["circuits"][1]["evidence"].get<double>(),
              1e-12);
}

TEST_F(Program, DecompositionsAreChosenByNameAndOptionsAndRefusedByName) {
  ASSERT_EQ(run("train c.yaml --out r training.steps=1"), 0);
  ASSERT_EQ(run("inspect r --circuits '{kind: output_frequency, split: true}' --json"), 0) << err();
  EXPECT_EQ(parsed(out())["circuits"][1]["label"], "κ=1 difference");
  EXPECT_EQ(run("inspect r --circuits neuron_cluster"), 2);
  EXPECT_NE(err().find("did you mean 'neuron_clusters'?"), std::string::npos) << err();
  EXPECT_EQ(run("inspect r --drop κ=99"), 2);
  EXPECT_NE(err().find("there is no circuit 'κ=99'"), std::string::npos) << err();
  EXPECT_EQ(run("inspect r --drop κ=1 --keep κ=2"), 2);
  EXPECT_EQ(run("inspect"), 2);
  EXPECT_EQ(err(), "inspect needs a run directory, or --weights FILE with --config FILE\n");
}

TEST_F(Program, ExportedWeightsInspectedElsewhereGiveTheFiguresOfTheRun) {
  ASSERT_EQ(run("train c.yaml --out r"), 0);
  ASSERT_EQ(run("export r e --run 1"), 0) << err();
  write_file_atomically(
      directory / "w.yaml",
      "task: {kind: modular_addition, p: 11}\nmodel: {kind: transformer, d_model: 16, heads: 2, d_mlp: 32}\n");
  ASSERT_EQ(run("inspect r --run 1 --circuits neuron_clusters --json"), 0) << err();
  const auto own = parsed(out());
  ASSERT_EQ(run("inspect --weights e/model.safetensors --config w.yaml --circuits neuron_clusters --json"), 0) << err();
  const auto elsewhere = parsed(out());
  EXPECT_EQ(elsewhere["label"], "e/model.safetensors");
  EXPECT_TRUE(elsewhere["step"].is_null());
  EXPECT_EQ(elsewhere["sets"].size(), 1u);  // the split is not known
  for (const char* figure : {"circuits", "measures"}) {
    if (std::string(figure) == "circuits") {
      for (size_t i = 0; i < own[figure].size(); ++i)
        EXPECT_EQ(own[figure][i]["margin"], elsewhere[figure][i]["margin"]);
    } else {
      EXPECT_EQ(own[figure], elsewhere[figure]);
    }
  }
  EXPECT_EQ(own["sets"]["all"], elsewhere["sets"]["all"]);
  // A split file that names the first pairs gives train and test figures.
  write_file_atomically(directory / "split.txt", "# pairs\n0,1\n3 4\n\n10 10  # the last\n");
  ASSERT_EQ(run("inspect --weights e/model.safetensors --config w.yaml --split split.txt --json"), 0) << err();
  EXPECT_EQ(parsed(out())["sets"]["train"]["examples"], 3);
  EXPECT_EQ(parsed(out())["sets"]["test"]["examples"], 118);
}

TEST_F(Program, WeightsThatDoNotFitAreRefusedInOneSentence) {
  ASSERT_EQ(run("train c.yaml --out r training.steps=1"), 0);
  ASSERT_EQ(run("export r e"), 0);
  EXPECT_EQ(run("export r e"), 4);
  EXPECT_EQ(err(), "e: exists already; choose another place\n");
  write_file_atomically(
      directory / "w.yaml",
      "task: {kind: modular_addition, p: 11}\nmodel: {kind: transformer, d_model: 32, heads: 2, d_mlp: 32}\n");
  EXPECT_EQ(run("inspect --weights e/model.safetensors --config w.yaml"), 4);
  EXPECT_EQ(err(), "e/model.safetensors: tensor 'embed.W_E' has shape [12, 16], the model needs [12, 32]\n");
  write_file_atomically(directory / "split.txt", "0,1\n3,11\n");
  EXPECT_EQ(run("inspect --weights e/model.safetensors --config c.yaml"), 2);  // a pack of four
  write_file_atomically(
      directory / "one.yaml",
      "task: {kind: modular_addition, p: 11}\nmodel: {kind: transformer, d_model: 16, heads: 2, d_mlp: 32}\n");
  EXPECT_EQ(run("inspect --weights e/model.safetensors --config one.yaml --split split.txt"), 2);
  EXPECT_EQ(err(), "split.txt:2: the input 3,11 is out of range: a is 0 to 10, b is 0 to 10\n");
}

TEST_F(Program, AnExportedMlpIsPlainNamedTensors) {
  ASSERT_EQ(run("train c.yaml --out r training.steps=1 'model={kind: mlp, d_embed: 8, hidden: [16]}'"), 0) << err();
  ASSERT_EQ(run("export r e --reference"), 0) << err();
  EXPECT_EQ(parsed(read_file(directory / "e/config.json"))["model"]["hidden"], (std::vector<int>{16}));
  const auto weights = read_safetensors(directory / "e/model.safetensors");
  EXPECT_EQ(weights.size(), 5u);
  EXPECT_EQ(weights.at("blocks.0.mlp.W_in").sizes(), (std::vector<int64_t>{8, 16}));
  EXPECT_EQ(read_safetensors(directory / "e/reference.safetensors").at("logits").sizes(),
            (std::vector<int64_t>{121, 11}));
}

TEST_F(Program, InspectRefusesBadInputInOneSentence) {
  ASSERT_EQ(run("train c.yaml --out r training.steps=1"), 0);
  EXPECT_EQ(run("inspect r --input 7,11"), 2);
  EXPECT_EQ(err(), "the input 7,11 is out of range: a is 0 to 10, b is 0 to 10\n");
  EXPECT_EQ(run("inspect r --input seven"), 2);
  EXPECT_EQ(run("inspect r --run 4"), 2);
  EXPECT_EQ(err(), "--run 4: the pack has runs 0 to 3\n");
  EXPECT_EQ(run("inspect nowhere"), 4);
  EXPECT_EQ(err(), "nowhere: is not a run directory (it has no config.yaml)\n");
}

TEST_F(Program, ImagesAreTrainedOnAndInspectedWithNoFileButTheProgram) {
  write_file_atomically(directory / "digits.yaml",
                        "task: {kind: mnist, train_size: 100, test_size: 200}\n"
                        "model: {kind: mlp, hidden: [16]}\n"
                        "training: {steps: 20, batch_size: 50}\n");
  ASSERT_EQ(run("train digits.yaml threads=1"), 0) << err();
  ASSERT_EQ(run("inspect runs/digits --json"), 0) << err();
  EXPECT_TRUE(parsed(out())[0].contains("logit_decomposition.key_circuits"));  // unit clusters, no frequencies
  ASSERT_EQ(run("inspect runs/digits --input 17 --json"), 0) << err();
  const auto seen = parsed(out());
  EXPECT_EQ(seen["question"], "image 17");
  EXPECT_EQ(seen["target"], 7);
  EXPECT_EQ(seen["decomposition"], "unit_clusters");
  const auto& picture = seen["picture"];
  EXPECT_EQ(picture["pixels"].size(), 28u);
  double sum = picture["background"];
  for (const auto& row : picture["patches"]) {
    for (const double nats : row) sum += nats;
  }
  EXPECT_NEAR(sum, seen["margin"], 1e-9);  // efficiency of the Shapley values
  ASSERT_EQ(run("inspect runs/digits --circuits patch_shapley --examples 10 --directions 3 --json"), 0) << err();
  const auto report = parsed(out());
  EXPECT_EQ(report["sets"]["all"]["examples"], 20);
  EXPECT_LT(report["completeness_error"], 1e-12);
  EXPECT_EQ(report["ablation_directions"].size(), 3u);
  EXPECT_TRUE(report["measures"].is_null());
  EXPECT_EQ(run("inspect runs/digits --circuits patch_shapley"), 2);
  EXPECT_NE(err().find("take at most 976 examples"), std::string::npos) << err();
  ASSERT_EQ(run("inspect runs/digits --input 17"), 0);
  EXPECT_NE(out().find("█"), std::string::npos);
  EXPECT_EQ(out().find('\033'), std::string::npos) << "no colour where there is no terminal";
}

TEST_F(Program, DataFetchesASetThatTheTaskReadsAndRefusesAnother) {
  const FaultyServer server(directory / "");
  ASSERT_EQ(shell("cp " LOGODDS_CONFIGS "/../data/mnist/*.gz served/"), 0) << err();
  ASSERT_EQ(
      shell("python3 -c \"import gzip, struct\n"
            "gzip.open('served/train-images-idx3-ubyte.gz', 'wb', 1).write(struct.pack('>4I', 2051, 60000, 28, 28) "
            "+ bytes(60000 * 784))\n"
            "gzip.open('served/train-labels-idx1-ubyte.gz', 'wb', 1).write(struct.pack('>2I', 2049, 60000) + "
            "bytes(60000))\""),
      0)
      << err();
  ASSERT_EQ(run("data mnist --url " + server.address("cut") + " --out d"), 0) << err();
  write_file_atomically(directory / "sums", out());
  ASSERT_EQ(shell("sh -c 'cd d && sha256sum --check ../sums'"), 0) << err();  // it prints what sha256sum reads
  write_file_atomically(directory / "digits.yaml",
                        "task: {kind: mnist, directory: d, train_size: 10, test_size: 10}\n"
                        "model: {kind: mlp, hidden: [4]}\ntraining: {steps: 1}\n");
  EXPECT_EQ(run("train digits.yaml threads=1"), 0) << err();
  // Files that are there are verified and not fetched again.
  EXPECT_EQ(run("data mnist --url " + server.address("gone") + " --out d --sha256 sums"), 0) << err();
  std::string other = read_file(directory / "sums");
  other[0] = other[0] == 'a' ? 'b' : 'a';
  write_file_atomically(directory / "other", other);
  EXPECT_EQ(run("data mnist --url " + server.address("ok") + " --out e --sha256 other"), 4);
  EXPECT_NE(err().find("train-images-idx3-ubyte.gz: is not the file with SHA-256 " + other.substr(0, 64)),
            std::string::npos)
      << err();
  EXPECT_FALSE(exists("e/train-images-idx3-ubyte.gz"));
  EXPECT_EQ(run("data nowhere"), 2);
}

TEST_F(Program, PlotDrawsEveryRunAndNamesUnknownColumns) {
  ASSERT_EQ(run("train c.yaml --out r"), 0);
  ASSERT_EQ(run("plot r test_loss"), 0) << err();
  EXPECT_NE(out().find("D  seed 1, weight_decay 0"), std::string::npos);
  EXPECT_EQ(run("plot r tset_loss"), 2);
  EXPECT_NE(err().find("has no column 'tset_loss' (did you mean 'test_loss'?)"), std::string::npos) << err();
}

TEST_F(Program, ListShowsEveryComponentWithItsKeys) {
  ASSERT_EQ(run("list"), 0);
  for (const char* name :
       {"modular_addition", "transformer", "mlp", "cross_entropy", "adamw", "sgd", "warmup", "logit_bloat"}) {
    EXPECT_NE(out().find(name), std::string::npos) << name;
  }
  ASSERT_EQ(run("list optimizers"), 0);
  EXPECT_NE(out().find("weight_decay: 1\n"), std::string::npos);
  ASSERT_EQ(run("list settings"), 0);
  EXPECT_NE(out().find("training.evaluate_every_steps: 100\n"), std::string::npos);
}

TEST_F(Program, CudaIsRefusedWithOneSentenceWhereThereIsNone) {
  if (std::system("nvidia-smi >/dev/null 2>&1") == 0) GTEST_SKIP() << "a GPU is here";
  EXPECT_EQ(run("train c.yaml device=cuda"), 2);
  EXPECT_NE(err().find("device: cuda was asked for, but"), std::string::npos);
  EXPECT_FALSE(exists("runs"));
}

const std::string kForecasters =
    "task: {kind: forecasters, features: 2, train_size: 512, test_size: 256}\n"
    "model: {kind: forecaster_ensemble, hidden: []}\n"
    "loss: binary_logistic\n"
    "optimizer: {learning_rate: 0.1, weight_decay: 0}\n"
    "runs: {seed: [0, 1], task.shown: [1, 2]}\n"
    "training: {steps: 60, evaluate_every_steps: 30, checkpoint_every_steps: 60}\n"
    "theory: {loss: , parts: }\n";

TEST_F(Program, TrainingEndsWithTheTableOfTheoryAndTheoryPrintsItAgain) {
  write_file_atomically(directory / "f.yaml", kForecasters);
  ASSERT_EQ(run("train f.yaml"), 0) << err();
  const std::string table = out();
  EXPECT_NE(table.find("test loss, shown 2"), std::string::npos) << table;
  EXPECT_NE(table.find("means over 2 seeds"), std::string::npos) << table;
  ASSERT_EQ(run("theory runs/f"), 0) << err();
  EXPECT_EQ(out(), table);
  ASSERT_EQ(run("theory runs/f --json"), 0) << err();
  const auto rows = nlohmann::json::parse(out());
  ASSERT_EQ(rows.size(), 2u + 6u);
  EXPECT_EQ(rows[0]["claim"], "loss");
  EXPECT_EQ(rows[0]["seeds"], 2);
  EXPECT_LT(rows[0]["low"].get<double>(), rows[0]["measured"].get<double>());
  const auto last = read_metrics(directory / "runs/f/metrics.jsonl").back();
  EXPECT_LT(last["test_divergence"].get<double>(), 0.05);
  EXPECT_TRUE(last.contains("train_excess_loss"));
}

TEST_F(Program, InspectHoldsEachFeaturesPartAgainstItsExactLogOdds) {
  write_file_atomically(directory / "f.yaml", kForecasters);
  ASSERT_EQ(run("train f.yaml"), 0) << err();
  ASSERT_EQ(run("inspect runs/f --run 1 --json"), 0) << err();
  const auto learnt = nlohmann::json::parse(out())[0]["learnt"];
  ASSERT_EQ(learnt["features"].size(), 2u);
  EXPECT_GT(learnt["features"][1]["r_squared"].get<double>(), 0.9);
  EXPECT_NEAR(learnt["sum"]["slope"].get<double>(), 1, 0.2);
  ASSERT_EQ(run("inspect runs/f --run 1"), 0) << err();
  EXPECT_NE(out().find("feature 2"), std::string::npos) << out();
  ASSERT_EQ(run("inspect runs/f --run 1 --circuits forecasters --input 600"), 0) << err();
  EXPECT_NE(out().find("class of example 600"), std::string::npos) << out();
}

TEST_F(Program, TheoryNeedsATaskOfWhichSomethingIsKnown) {
  EXPECT_EQ(run("train c.yaml theory='{loss: }'"), 2);
  EXPECT_NE(err().find("modular_addition"), std::string::npos) << err();
  ASSERT_EQ(run("train c.yaml --out r training.steps=1"), 0);
  EXPECT_EQ(run("theory r"), 2);
  EXPECT_NE(err().find("logodds list claims"), std::string::npos) << err();
}

}  // namespace
}  // namespace logodds
