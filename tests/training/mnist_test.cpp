#include "training/tasks/mnist.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/files.h"
#include "tests/temporary_directory.h"
#include "training/tasks/mnist_files.h"

namespace logodds {
namespace {

std::string idx(const std::vector<uint32_t>& shape, const std::string& entries) {
  std::string file{0, 0, 8, static_cast<char>(shape.size())};
  for (const uint32_t extent : shape)
    file += std::string{0, 0, static_cast<char>(extent >> 8), static_cast<char>(extent)};
  return file + entries;
}

/// n images of 2 × 4 pixels, all `pixel`, with the classes 0, 1, 2, ….
void write_set(const TemporaryDirectory& directory, const std::string& set, uint32_t n, char pixel) {
  std::string labels;
  for (uint32_t i = 0; i < n; ++i) labels += static_cast<char>(i % 10);
  write_file_atomically(directory / (set + "-images-idx3-ubyte"), idx({n, 2, 4}, std::string(n * 8, pixel)));
  write_file_atomically(directory / (set + "-labels-idx1-ubyte"), idx({n}, labels));
}

std::string message(const Mnist::Options& options) {
  try {
    Mnist{options};
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(Mnist, TheBuiltInImagesAreThePublishedTestSet) {
  const LabelledImages all = embedded_mnist();
  EXPECT_EQ(all.images_NHW.sizes(), at::IntArrayRef({10000, 28, 28}));
  // How often each digit occurs in t10k, as published.
  EXPECT_TRUE(
      at::bincount(all.labels_N).equal(at::tensor({980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009}, at::kLong)));
  EXPECT_EQ(all.labels_N.narrow(0, 0, 5).equal(at::tensor({7, 2, 1, 0, 4}, at::kLong)), true);
}

TEST(Mnist, TheSplitIsAFunctionOfTheSeedAndRunsShareTheImages) {
  const Mnist task({.train_size = 300});
  const Dataset pack = task.make({4, 7}), alone = task.make({7});
  EXPECT_EQ(pack.inputs.sizes(), at::IntArrayRef({2, 10000, 784}));
  EXPECT_EQ(pack.inputs.stride(0), 0);
  EXPECT_TRUE(pack.train_RB[1].equal(alone.train_RB[0]));
  EXPECT_FALSE(pack.train_RB[0].equal(pack.train_RB[1]));
  EXPECT_TRUE(std::get<0>(at::cat({pack.train_RB[0], pack.test_RB[0]}).sort()).equal(at::arange(10000)));
  const Dataset ordered = Mnist({.train_size = 300, .test_size = 50, .shuffle = false}).make({3});
  EXPECT_TRUE(ordered.train_RB[0].equal(at::arange(300)));
  EXPECT_TRUE(ordered.test_RB[0].equal(at::arange(300, 350)));
}

TEST(Mnist, ParityIsTheDigitModuloTwo) {
  const Mnist parity({.labels = "parity"});
  EXPECT_EQ(parity.shape().classes, 2);
  EXPECT_TRUE(parity.make({0}).targets_RN.equal(Mnist({}).make({0}).targets_RN.remainder(2)));
}

TEST(Mnist, RandomLabelsChangeThatShareOfTheTrainingSetAndNoTestImage) {
  const Dataset clean = Mnist({}).make({5}), noisy = Mnist({.random_labels = {0.25}}).make({5});
  const Tensor changed = clean.targets_RN[0].ne(noisy.targets_RN[0]);
  EXPECT_EQ(changed.index_select(0, clean.train_RB[0]).sum().item<int64_t>(), 250);
  EXPECT_EQ(changed.index_select(0, clean.test_RB[0]).sum().item<int64_t>(), 0);
}

TEST(Mnist, StandardPixelsHaveMeanZeroAndVarianceOne) {
  const Tensor unit = Mnist({}).make({0}).inputs[0],
               standard = Mnist({.normalisation = "standard"}).make({0}).inputs[0];
  EXPECT_EQ(unit.min().item<double>(), 0);
  EXPECT_EQ(unit.max().item<double>(), 1);
  EXPECT_NEAR(standard.mean(at::kDouble).item<double>(), 0, 1e-6);
  EXPECT_NEAR(standard.square().mean(at::kDouble).item<double>(), 1, 1e-6);
}

TEST(Mnist, PatternsAreDistinctHalfFullAndLaidOverTheImageOfTheirClass) {
  const Tensor patterns = block_patterns(10, 28, 28);
  EXPECT_TRUE(patterns.sum({1, 2}).eq(784 / 2).all().item<bool>());
  for (int64_t a = 0; a < 10; ++a) {
    for (int64_t b = 0; b < a; ++b) EXPECT_FALSE(patterns[a].equal(patterns[b])) << a << " " << b;
  }
  EXPECT_TRUE(patterns[3].slice(0, 7, 14).slice(1, 21, 28).eq(patterns[3][7][21]).all().item<bool>());
  const Dataset plain = Mnist({}).make({0}), blended = Mnist({.pattern_opacity = 0.25}).make({0});
  const Tensor expected = 0.75 * plain.inputs[0] + 0.25 * patterns.flatten(1).index_select(0, plain.targets_RN[0]);
  EXPECT_LT((blended.inputs[0] - expected).abs().max().item<double>(), 1e-6);
}

TEST(Mnist, ADirectoryIsReadAndItsTestSetKeptApart) {
  const TemporaryDirectory directory;
  write_set(directory, "t10k", 12, 1);
  const std::string path = (directory / "").string();
  EXPECT_EQ(Mnist({.directory = path, .train_size = 8}).make({0}).test_RB.size(1), 4);
  write_set(directory, "train", 20, 0);
  const Mnist task({.directory = path, .train_size = 8});
  EXPECT_EQ(task.shape().image, (std::vector<int64_t>{1, 2, 4}));
  const Dataset data = task.make({0});
  EXPECT_EQ(data.inputs[0].index_select(0, data.train_RB[0]).max().item<double>(), 0);
  EXPECT_EQ(data.test_RB.size(1), 12);
  EXPECT_NEAR(data.inputs[0].index_select(0, data.test_RB[0]).min().item<double>(), 1 / 255.0, 1e-7);
}

TEST(Mnist, WrongFilesAndSizesAreNamed) {
  const TemporaryDirectory directory;
  const std::string path = (directory / "").string();
  EXPECT_EQ(message({.directory = path}),
            path + "train-images-idx3-ubyte: is missing, and so is train-images-idx3-ubyte.gz");
  write_set(directory, "train", 20, 0);
  EXPECT_EQ(message({.directory = path, .train_size = 21}), "'train_size' (21) is more than the 20 images there are");
  EXPECT_EQ(message({.directory = path, .train_size = 15, .test_size = 6}),
            "'test_size' (6) is more than the 5 images that are not trained on");
  write_file_atomically(directory / "train-labels-idx1-ubyte", idx({2}, "\1\2"));
  EXPECT_EQ(message({.directory = path}),
            path + "train-labels-idx1-ubyte: holds 2 labels for the 20 images of " + path + "train-images-idx3-ubyte");
  write_file_atomically(directory / "train-labels-idx1-ubyte", idx({20}, std::string(20, '\x11')));
  EXPECT_EQ(message({.directory = path}), path + "train-labels-idx1-ubyte: holds the label 17; they are 0 to 9");
}

TEST(Mnist, AnInputIsTheNumberOfAnImage) {
  const Mnist task({});
  EXPECT_EQ(task.find({17}), 17);
  EXPECT_EQ(task.describe({17}), "image 17");
  EXPECT_THROW(task.find({10000}), Error);
  EXPECT_THROW(task.find({1, 2}), Error);
}

}  // namespace
}  // namespace logodds
