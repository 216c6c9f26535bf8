// A run that is interrupted and continued is, byte for byte, the run that was not: for every component there is.

#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "core/error.h"
#include "core/files.h"
#include "core/log.h"
#include "experiments/experiment.h"
#include "experiments/resume_proof.h"
#include "tests/temporary_directory.h"
#include "tests/training/small_pack.h"

namespace logodds {
namespace {

std::string bytes_of(std::initializer_list<uint32_t> numbers) {
  std::string text;
  for (const uint32_t number : numbers) {
    for (int shift = 24; shift >= 0; shift -= 8) text += static_cast<char>(number >> shift);
  }
  return text;
}

/// 30 images of 6 × 6 pixels in MNIST's format.
void write_images(const std::filesystem::path& directory) {
  std::string pixels = bytes_of({0x803, 30, 6, 6}), classes = bytes_of({0x801, 30});
  for (int i = 0; i < 30 * 36; ++i) pixels += static_cast<char>(i * i * 7 % 251);
  for (int i = 0; i < 30; ++i) classes += static_cast<char>(i % 10);
  write_file_atomically(directory / "train-images-idx3-ubyte", pixels);
  write_file_atomically(directory / "train-labels-idx1-ubyte", classes);
}

/// Trains combinations of components, small; files go to memory where the system has a place for that.
class Resume : public testing::Test {
 protected:
  Resume() {
    if (std::filesystem::is_directory("/dev/shm")) ::setenv("TMPDIR", "/dev/shm", 1);
    directory_ = std::make_unique<TemporaryDirectory>();
    write_images(*directory_ / "");
    spdlog::set_level(spdlog::level::off);
  }

  /// A component with options that make it small; those that stand here with none are small anyway.
  std::string small(const std::string& name) const {
    const std::string sampled = "train_size: 24, test_size: 12";
    const std::map<std::string, std::string> options{
        {"modular_addition", "p: 5, train_fraction: 0.5, random_labels: 0.25"},
        {"group", "group: S3, train_fraction: 0.5"},
        {"mnist", "directory: " + (*directory_ / "").string() + ", train_size: 15"},
        {"forecasters", sampled},
        {"router", sampled},
        {"majority", sampled},
        {"halfspace", sampled},
        {"transformer", "d_model: 4, heads: 2, d_mlp: 6"},
        {"mlp", "embedding: one_hot, hidden: [6], bias: false"},  // what l23_penalty accepts
        {"cnn", "channels: [2]"},
        {"forecaster_ensemble", "hidden: [3]"},
        {"grokfast", "filter: ma, window_steps: 3"},
        {"learning_coefficient", "chains: 2, draws: 4, burn_in: 1"}};
    const auto found = options.find(name);
    return found == options.end() ? "" : found->second;
  }

  std::string component(const std::string& key, const std::string& name) const {
    return key + ": {kind: " + name + (small(name).empty() ? "" : ", " + small(name)) + "}\n";
  }

  /// Whether the components go together; then training them, interrupted after each of the `stops`, is as it should be.
  bool holds(const std::string& text, const std::vector<int64_t>& stops) {
    std::optional<Experiment> experiment;
    const std::string rest =
        "threads: 1\nruns: {seed: [0, 1]}\n"
        "training: {steps: 5, batch_size: 6, evaluate_every_steps: 2, checkpoint_every_steps: 3}\n";
    try {
      experiment = Experiment::from_yaml(parse_yaml(text + rest, "test"), "test");
      experiment->assemble();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::usage) << error.what() << "\n" << text;
      return false;
    }
    const TemporaryDirectory directory;
    try {
      const auto proof =
          prove_resume([&] { return experiment->assemble(); }, experiment->options().training, stops, directory / "");
      EXPECT_GT(proof.tensors, 0u) << text;
      EXPECT_EQ(proof.rows, 2 * 4u) << text;  // of steps 0, 2, 4, 5
      EXPECT_TRUE(proof.differences.empty()) << text << proof.differences.front();
    } catch (const Error& error) {  // a hook that looks at something this model does not have
      EXPECT_EQ(error.code(), ExitCode::usage) << error.what() << "\n" << text;
      return false;
    }
    ++combinations_;
    return true;
  }

  /// Every task with every model that can learn it.
  std::vector<std::string> tasks_with_models() {
    std::vector<std::string> pairs;
    for (const auto& task : tasks().names()) {
      for (const auto& model : models().names()) {
        const std::string text = component("task", task) + component("model", model);
        try {
          Experiment::from_yaml(parse_yaml(text, "test"), "test").assemble();
        } catch (const Error&) {
          continue;
        }
        used_.insert(task);
        used_.insert(model);
        pairs.push_back(text);
      }
    }
    return pairs;
  }

  void expect_all_used(const Catalogue& catalogue) const {
    for (const auto& name : catalogue.names()) EXPECT_TRUE(used_.contains(name)) << name << " was in no combination";
  }

  std::unique_ptr<TemporaryDirectory> directory_;
  std::set<std::string> used_;
  size_t combinations_ = 0;
};

TEST_F(Resume, IsExactForEveryTaskModelOptimizerLossAndTransform) {
  auto wrappers = transforms().names();
  wrappers.emplace_back("");
  for (const auto& pair : tasks_with_models()) {
    for (const auto& optimizer : optimizers().names()) {
      for (const auto& loss : losses().names()) {
        for (const auto& transform : wrappers) {
          std::string text = pair + component("optimizer", optimizer) + component("loss", loss);
          if (!transform.empty()) text += "transforms: {" + transform + ": {" + small(transform) + "}}\n";
          if (holds(text, {1, 4}))
            for (const auto& name : {optimizer, loss, transform}) used_.insert(name);
          if (HasFailure()) return;
        }
      }
    }
  }
  for (const auto* catalogue : {&tasks(), &models(), &optimizers(), &losses(), &transforms()})
    expect_all_used(*catalogue);
  std::cout << combinations_ << " combinations\n";
}

TEST_F(Resume, IsExactForEveryHookOnEveryTaskAndModelAfterEachStep) {
  for (const auto& pair : tasks_with_models()) {
    for (const auto& hook : hooks().names()) {
      const std::string options = "{every_steps: 2" + (small(hook).empty() ? "" : ", " + small(hook)) + "}";
      if (holds(pair + "hooks: {" + hook + ": " + options + "}\n", {1, 2, 3, 4})) used_.insert(hook);
      if (HasFailure()) return;
    }
  }
  expect_all_used(hooks());
}

TEST_F(Resume, IsExactForEveryScheduleAndAllTransformsAtOnceInBothPrecisions) {
  const std::string learnt = component("task", "modular_addition") + component("model", "mlp");
  std::string all;
  for (const auto& name : transforms().names()) all += (all.empty() ? "" : ", ") + name + ": {" + small(name) + "}";
  for (const auto& schedule : schedules().names()) {
    for (const std::string dtype : {"float32", "float64"}) {
      const std::string text = learnt + "schedule: " + schedule + "\ndtype: " + dtype + "\n";
      EXPECT_TRUE(holds(text + "transforms: {" + all + "}\n", {1, 2, 3, 4})) << text;
    }
  }
}

TEST_F(Resume, WhatIsForgottenIsFoundAndNamed) {
  class Forgetful : public Sgd {
   public:
    using Sgd::Sgd;
    NamedTensors state() const override { return {}; }
    void restore(const NamedTensors&) override {}
  };
  const auto make = [] {
    Pack pack = SmallPack().make();
    Sgd::Options options;
    options.momentum = 0.9;
    pack.optimizer = std::make_unique<Forgetful>(options, pack.parameters);
    return pack;
  };
  const TemporaryDirectory directory;
  const auto proof = prove_resume(make, {.steps = 6, .evaluate_every_steps = 2}, {3, 5}, directory / "");
  std::string all;
  for (const auto& difference : proof.differences) all += difference + "\n";
  EXPECT_EQ(all.find("step 3: "), std::string::npos) << "up to the first stop nothing can differ\n" << all;
  EXPECT_NE(all.find("step 5: run 0: embed.W_E differs in "), std::string::npos) << all;
  EXPECT_NE(all.find("metrics.jsonl:3 differs: uninterrupted '{\"step\":4,"), std::string::npos) << all;
}

TEST_F(Resume, TensorsAreComparedByteForByte) {
  const Tensor a = at::tensor({0.0, std::nan(""), 3.0}), b = at::tensor({-0.0, std::nan(""), 3.0});
  EXPECT_TRUE(tensor_differences({{"w", a}}, {{"w", a.clone()}}, "").empty());
  EXPECT_EQ(tensor_differences({{"w", a}}, {{"w", b}}, "").size(), 1u);
  EXPECT_EQ(tensor_differences({{"w", a}}, {}, "x: "),
            std::vector<std::string>{"x: w is missing after the interruption"});
  EXPECT_EQ(tensor_differences({}, {{"w", a}}, "").size(), 1u);
  EXPECT_EQ(tensor_differences({{"w", a}}, {{"w", a.to(at::kFloat)}}, "").size(), 1u);
}

}  // namespace
}  // namespace logodds
