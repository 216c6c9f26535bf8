#include "training/tasks/mnist.h"

#include <ATen/ATen.h>

#include <cmath>

#include "core/error.h"
#include "core/seeds.h"

namespace logodds {

void Mnist::Options::fields(Fields& fields) {
  fields.text({"directory", "of train-*-ubyte and t10k-*-ubyte, gzipped or not; empty: the program's own images"},
              directory);
  fields.choice({"labels", "what is told apart"}, labels, {"digit", "parity"});
  fields.integer({"train_size", "number of training images"}, train_size, at_least(1));
  fields.integer({"test_size", "number of test images; 0: all that are left"}, test_size, at_least(0));
  fields.flag({"shuffle", "training images are drawn by the seed; else the first ones"}, shuffle);
  random_labels.fields(fields);
  fields.choice({"normalisation", "unit: pixels 0 to 1; standard: their mean 0 and variance 1"}, normalisation,
                {"unit", "standard"});
  fields.real({"pattern_opacity", "of a 4 × 4 block pattern of the class, laid over the image"}, pattern_opacity,
              between(0, 1));
}

Tensor block_patterns(int64_t classes, int64_t height, int64_t width) {
  auto generator = stream(0, "block patterns");
  std::vector<Tensor> patterns;
  for (int64_t c = 0; c < classes; ++c) {
    const Tensor order = at::randperm(16, generator, at::TensorOptions().dtype(at::kLong));
    patterns.push_back(order.lt(8).to(at::kFloat).view({4, 4}));
  }
  const auto block_of = [](int64_t size) { return (at::arange(size, at::kLong) * 4).div(size, "floor"); };
  return at::stack(patterns).index_select(1, block_of(height)).index_select(2, block_of(width));
}

Mnist::Mnist(const Options& options) : options_(options), first_test_(-1) {
  LabelledImages all = read(options_.directory);
  classes_N_ = options_.labels == "parity" ? all.labels_N.remainder(2) : all.labels_N;
  images_NHW_ = all.images_NHW;
  if (options_.train_size > pool_) {
    throw Error("'train_size' (" + std::to_string(options_.train_size) + ") is more than the " + std::to_string(pool_) +
                " images there are");
  }
  const int64_t left = classes_N_.size(0) - (first_test_ < 0 ? options_.train_size : first_test_);
  if (options_.test_size > left) {
    throw Error("'test_size' (" + std::to_string(options_.test_size) + ") is more than the " + std::to_string(left) +
                " images that are not trained on");
  }
  if (options_.test_size == 0) options_.test_size = left;
}

LabelledImages Mnist::read(const std::string& directory) {
  const bool both = !directory.empty() && has_image_files(directory, "train") && has_image_files(directory, "t10k");
  LabelledImages all =
      directory.empty() ? embedded_mnist()
                        : read_image_files(directory, has_image_files(directory, "t10k") && !both ? "t10k" : "train");
  pool_ = all.labels_N.size(0);
  if (!both) return all;
  const LabelledImages test = read_image_files(directory, "t10k");
  if (test.images_NHW.sizes().slice(1) != all.images_NHW.sizes().slice(1))
    throw io_error(directory + ": the images of train and of t10k are not of one size");
  first_test_ = pool_;
  return {at::cat({all.images_NHW, test.images_NHW}), at::cat({all.labels_N, test.labels_N})};
}

InputShape Mnist::shape() const {
  const int64_t height = images_NHW_.size(1), width = images_NHW_.size(2);
  return {.tokens = 0,
          .positions = height * width,
          .classes = options_.labels == "parity" ? 2 : 10,
          .image = {1, height, width}};
}

Tensor Mnist::features() const {
  Tensor x = images_NHW_.to(at::kFloat).div_(255);
  if (options_.pattern_opacity > 0) {
    const Tensor patterns = block_patterns(shape().classes, x.size(1), x.size(2));
    x.mul_(1 - options_.pattern_opacity).add_(patterns.index_select(0, classes_N_), options_.pattern_opacity);
  }
  if (options_.normalisation == "standard") {
    const double mean = x.mean(at::kDouble).item<double>();
    x.sub_(mean);
    x.div_(std::sqrt(x.square().mean(at::kDouble).item<double>()));
  }
  return x.flatten(1);
}

Dataset Mnist::make(const std::vector<int64_t>& seeds) const {
  std::vector<Tensor> labels, train, test;
  for (const int64_t seed : seeds) {
    auto generator = stream(seed, "split");
    const at::TensorOptions whole = at::TensorOptions().dtype(at::kLong);
    const Tensor order = options_.shuffle ? at::randperm(pool_, generator, whole) : at::arange(pool_, whole);
    train.push_back(order.narrow(0, 0, options_.train_size));
    test.push_back(first_test_ < 0 ? order.narrow(0, options_.train_size, options_.test_size)
                                   : at::arange(first_test_, first_test_ + options_.test_size, whole));
    labels.push_back(options_.random_labels.changed(classes_N_, train.back(), shape().classes, labels.size(), seed));
  }
  return {.inputs = features().unsqueeze(0).expand({static_cast<int64_t>(seeds.size()), -1, -1}),
          .targets_RN = at::stack(labels),
          .train_RB = at::stack(train),
          .test_RB = at::stack(test),
          .truth_RN = options_.random_labels.any() ? classes_N_.expand_as(at::stack(labels)) : Tensor()};
}

int64_t Mnist::find(const std::vector<int64_t>& input) const {
  if (input.size() != 1 || input[0] < 0 || input[0] >= classes_N_.size(0)) {
    throw Error("an input of mnist is the number of an image, 0 to " + std::to_string(classes_N_.size(0) - 1));
  }
  return input[0];
}

std::string Mnist::describe(const std::vector<int64_t>& input) const {
  return (options_.labels == "parity" ? "parity of image " : "image ") + std::to_string(input.at(0));
}

}  // namespace logodds
