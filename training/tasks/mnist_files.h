#pragma once

#include <filesystem>

#include "core/tensor.h"

namespace logodds {

/// Digit-like images and their classes.
struct LabelledImages {
  Tensor images_NHW;  ///< bytes
  Tensor labels_N;    ///< 0 … 9
};

/// The 10 000 test images of MNIST, which are part of the program.
LabelledImages embedded_mnist();

/// Whether a directory holds the files of a set ("train", "t10k") of the MNIST family, gzipped or not.
bool has_image_files(const std::filesystem::path& directory, const std::string& set);

/// Reads SET-images-idx3-ubyte and SET-labels-idx1-ubyte, with or without ".gz". Throws an I/O Error that names the
/// file: one that is missing, damaged or of another kind, counts that differ, a label above 9.
LabelledImages read_image_files(const std::filesystem::path& directory, const std::string& set);

}  // namespace logodds
