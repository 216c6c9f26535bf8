#include "training/tasks/group.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "models/mlp.h"
#include "models/transformer.h"
#include "tests/models/check_model.h"
#include "tests/temporary_directory.h"
#include "training/hooks/memorisation.h"
#include "training/tasks/forecasters.h"
#include "training/tasks/modular_addition.h"

namespace logodds {
namespace {

std::string refusal(const std::string& text) {
  const TemporaryDirectory directory;
  const auto path = directory / "table.csv";
  std::ofstream(path) << text;
  try {
    GroupTask({.table = path.string()});
  } catch (const Error& error) {
    const std::string what = error.what();
    return what.substr(what.find("table.csv"));
  }
  return "";
}

TEST(GroupTask, TheCyclicGroupIsModularAddition) {
  const Dataset group = GroupTask({.group = "Z31"}).make({3, 4}), modular = ModularAddition({.p = 31}).make({3, 4});
  EXPECT_TRUE(group.inputs.equal(modular.inputs));
  EXPECT_TRUE(group.targets_RN.equal(modular.targets_RN));
  EXPECT_TRUE(group.train_RB.equal(modular.train_RB));
  EXPECT_TRUE(group.test_RB.equal(modular.test_RB));
}

TEST(GroupTask, LabelsAreTheProductsOfItsTable) {
  const GroupTask task({.group = "S4", .train_fraction = 0.5});
  const Dataset data = task.make({0});
  const int64_t example = task.find({5, 17});
  EXPECT_EQ(data.inputs[0][example][1].item<int64_t>(), 17);
  EXPECT_TRUE(data.targets_RN[0][example].equal(data.group->table()[5][17]));
  EXPECT_EQ(data.train_RB.size(1), 288);
  EXPECT_EQ(task.describe({0, 1}), "1234 ∘ 1243");
  EXPECT_THROW(task.find({24, 0}), Error);
}

TEST(GroupTask, ReadsACayleyTable) {
  const TemporaryDirectory directory;
  const auto path = directory / "z3.csv";
  std::ofstream(path) << "0, 1, 2\r\n1,2,0\n2,0,1\n";
  EXPECT_TRUE(GroupTask({.table = path.string()}).make({0}).group->is_addition());
}

TEST(GroupTask, ATableThatIsNoGroupIsRefusedWithFileLineAndElements) {
  EXPECT_EQ(refusal("0,1\n1,0\n0\n"), "table.csv:1: has 2 entries, and the table has 3 lines; it must be square");
  EXPECT_EQ(refusal("0,1\n1,x\n"), "table.csv:2: entry 2 must be the number of an element, not 'x'");
  EXPECT_EQ(refusal("0,1\n1,-1\n"), "table.csv:2: is not closed: 1 ∘ 1 is -1, and the elements are 0 to 1");
  EXPECT_EQ(refusal("0,1,2\n1,0,0\n2,0,1\n"), "table.csv:2: is not associative: (1 ∘ 1) ∘ 2 = 2, but 1 ∘ (1 ∘ 2) = 1");
  EXPECT_EQ(refusal(""), "table.csv: is empty, and a Cayley table has a line per element");
}

TEST(GroupTask, NeedsANameOrATable) {
  EXPECT_THROW(GroupTask({}), Error);
  EXPECT_THROW(GroupTask({.group = "S3", .table = "x.csv"}), Error);
  EXPECT_THROW(GroupTask({.group = "S3", .train_fraction = 0.01}), Error);
}

TEST(GroupTask, FoldedNetworksComputeTheSameOnItsPairsAndTakeTheFastStep) {
  const GroupTask task({.group = "S4", .train_fraction = 0.5});
  const Dataset data = task.make({0});
  const Tensor inputs = data.inputs[0].index_select(0, data.train_RB[0]).unsqueeze(0);
  const Mlp mlp({.embedding = "separate", .combine = "concatenation", .d_embed = 12, .hidden = {20}, .bias = false},
                task.shape());
  Transformer::Options options;
  options.d_model = 12, options.heads = 3, options.d_mlp = 20;
  const Transformer transformer(options, task.shape());
  for (const Model* model : {static_cast<const Model*>(&mlp), static_cast<const Model*>(&transformer)}) {
    Parameters parameters = random_parameters(*model, 1);
    expect_fast_forms_equal_trace(*model, parameters, inputs, "S4");
    EXPECT_TRUE(tile_step_takes(*model->fold(parameters, inputs, true)));
  }
}

TEST(RandomLabels, ChangeExactlyTheStatedNumberOfTrainingLabelsAsTheSeedSays) {
  const ModularAddition task({.p = 31, .random_labels = {0.25}});
  const Dataset data = task.make({4, 5, 4});
  const Tensor changed = data.targets_RN.ne(data.truth_RN);
  EXPECT_TRUE(data.truth_RN.equal(ModularAddition({.p = 31}).make({4, 5, 4}).targets_RN));
  for (int64_t run = 0; run < 3; ++run) {
    EXPECT_EQ(changed[run].sum().item<int64_t>(), 72);  // of ⌊.3 · 961⌋ = 288
    EXPECT_EQ(changed[run].index_select(0, data.train_RB[run]).sum().item<int64_t>(), 72);
  }
  EXPECT_TRUE(data.targets_RN[0].equal(data.targets_RN[2]));
  EXPECT_FALSE(changed[0].equal(changed[1]));
}

TEST(RandomLabels, MayDifferBetweenTheRunsOfAPack) {
  RandomLabels labels;
  labels.fraction.runs = {0, 1};
  const Dataset data = GroupTask({.group = "S3", .train_fraction = 0.5, .random_labels = labels}).make({0, 0});
  const Tensor changed = data.targets_RN.ne(data.truth_RN).sum(1);
  EXPECT_EQ(changed[0].item<int64_t>(), 0);
  EXPECT_EQ(changed[1].item<int64_t>(), 18);
}

TEST(RandomLabels, ARepeatedExampleOfASampledTaskKeepsItsWrongLabel) {
  Forecasters::Options options;
  options.classes = 9;
  options.channel = "von_mises";
  options.sizes.train_size.runs = {50, 20};
  options.sizes.test_size = 30;
  options.sizes.random_labels = {0.5};
  const Dataset data = Forecasters(options).make({1, 1});
  const Tensor changed = data.targets_RN.ne(data.truth_RN);
  EXPECT_EQ(changed[0].sum().item<int64_t>(), 25);
  EXPECT_EQ(changed[1].narrow(0, 0, 20).sum().item<int64_t>(), 10);
  EXPECT_TRUE(data.targets_RN[1].narrow(0, 20, 20).equal(data.targets_RN[1].narrow(0, 0, 20)));
  EXPECT_EQ(changed.narrow(1, 50, 30).sum().item<int64_t>(), 0);
}

TEST(MemorisationHook, CountsWhatIsStoredAndWhatItCosts) {
  const ModularAddition task({.p = 11, .train_fraction = 0.5, .random_labels = {0.5}});
  const Dataset data = task.make({0});
  const Tensor labels = data.targets_RN[0], truth = data.truth_RN[0];
  const Tensor changed = labels.ne(truth).nonzero().squeeze(1);
  ASSERT_EQ(changed.size(0), 30);
  // A network that knows the sum, and of the first twelve changed examples the label.
  Tensor logits = at::zeros({121, 11}, at::kDouble).scatter(1, truth.unsqueeze(1), 5.0);
  for (int64_t i = 0; i < 12; ++i) logits[changed[i].item<int64_t>()][labels[changed[i]].item<int64_t>()] = 9;
  const Mlp model({}, task.shape());
  const Parameters parameters({{"w", {1}}}, 1, at::kDouble);
  const Snapshot snapshot{.step = 0,
                          .run = 0,
                          .model = model,
                          .parameters = parameters,
                          .inputs_NT = data.inputs[0],
                          .logits_NV = logits,
                          .targets_N = labels,
                          .train_B = data.train_RB[0],
                          .test_B = data.test_RB[0],
                          .posterior_NV = at::zeros({121, 11}, at::kDouble).scatter(1, truth.unsqueeze(1), 5.0),
                          .truth_N = truth};
  Row row;
  Memorisation({}).observe(snapshot, row);
  const double clean = std::log(1 + 10 * std::exp(-5)), stored = std::log(1 + std::exp(-4) + 9 * std::exp(-9)),
               resisted = std::log(std::exp(5) + 10), changed_loss = (12 * stored + 18 * resisted) / 30;
  EXPECT_EQ(row["memorisation.changed"], 30);
  EXPECT_EQ(row["memorisation.stored"], 12);
  EXPECT_EQ(row["memorisation.resisted"], 18);
  EXPECT_EQ(row["memorisation.clean_accuracy"], 1);
  EXPECT_NEAR(row["memorisation.loss_clean"].get<double>(), clean, 1e-12);
  EXPECT_NEAR(row["memorisation.loss_changed"].get<double>(), changed_loss, 1e-12);
  EXPECT_NEAR(row["memorisation.cost"].get<double>(), (changed_loss - clean) / 60, 1e-12);
  EXPECT_NEAR(row["memorisation.nats"].get<double>(), 30 * (std::log(11) - changed_loss), 1e-12);
  // The 48 that are not stored: 30 clean ones and 18 changed ones, by someone who knows the sum as well as that.
  const double rho = 18 / 48.0, right = std::exp(5) / (std::exp(5) + 10), other = 1 / (std::exp(5) + 10);
  const auto loss = [&](double p) { return -std::log((1 - rho) * p + rho * (1 - p) / 10); };
  EXPECT_NEAR(row["memorisation.predicted_loss"].get<double>(), (30 * loss(right) + 18 * loss(other)) / 60, 1e-12);
}

}  // namespace
}  // namespace logodds
