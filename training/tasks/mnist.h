#pragma once

#include "training/random_labels.h"
#include "training/task.h"
#include "training/tasks/mnist_files.h"

namespace logodds {

/// Images of the MNIST family with their classes: the digit 0 … 9, or its parity. Without `directory` they are the
/// 10 000 test images of MNIST, which the program holds; else the files of that directory: training examples are taken
/// from train-*, and the test examples are those of t10k-*; with one of the two sets alone, both come from it.
///
/// The training set is the first `train_size` examples in an order drawn from the run's seed (in the files' own order
/// without `shuffle`), the test set the `test_size` after them (0: all). A share `random_labels` of the training
/// examples has a wrong class (training/random_labels.h).
///
/// Features [F] are the pixels, row by row:
///   x = (1-o) pixel/255 + o pattern_y,  o = pattern_opacity
/// pattern_y is an image of 4 × 4 blocks, half of them 1 and half 0, one fixed pattern for each class (Vaintrob and
/// Panickssery). `normalisation`: unit leaves x as it is, standard subtracts the mean of all pixels of all images and
/// divides by their standard deviation.
class Mnist : public Task {
 public:
  struct Options {
    std::string directory{};
    std::string labels = "digit";
    int64_t train_size = 1000;
    int64_t test_size = 0;
    bool shuffle = true;
    RandomLabels random_labels{};
    std::string normalisation = "unit";
    double pattern_opacity = 0;
    void fields(Fields& fields);
  };

  /// Reads the images. Throws Error for sizes that the files do not allow, an I/O Error for files that are not right.
  explicit Mnist(const Options& options);

  InputShape shape() const override;
  Dataset make(const std::vector<int64_t>& seeds) const override;
  int64_t find(const std::vector<int64_t>& input) const override;
  std::string describe(const std::vector<int64_t>& input) const override;

 private:
  LabelledImages read(const std::string& directory);
  Tensor features() const;

  Options options_;
  Tensor images_NHW_;
  Tensor classes_N_;
  int64_t pool_;        ///< the first so many examples are trained on
  int64_t first_test_;  ///< where the test examples begin; -1: after the training examples
};

/// Pattern of each class, [V,height,width] of 0 and 1.
Tensor block_patterns(int64_t classes, int64_t height, int64_t width);

}  // namespace logodds
