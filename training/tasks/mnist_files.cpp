#include "training/tasks/mnist_files.h"

#include <ATen/ATen.h>

#include "core/embed.h"
#include "core/error.h"
#include "core/files.h"
#include "core/idx.h"

LOGODDS_EMBED(logodds_mnist_images, LOGODDS_DATA "/mnist/t10k-images-idx3-ubyte.gz")
LOGODDS_EMBED(logodds_mnist_labels, LOGODDS_DATA "/mnist/t10k-labels-idx1-ubyte.gz")

namespace logodds {

namespace {

LabelledImages parse(std::string_view images, const std::string& images_source, std::string_view labels,
                     const std::string& labels_source) {
  LabelledImages set{read_idx(images, 3, images_source), read_idx(labels, 1, labels_source).to(at::kLong)};
  if (set.images_NHW.size(0) != set.labels_N.size(0)) {
    throw io_error(labels_source + ": holds " + std::to_string(set.labels_N.size(0)) + " labels for the " +
                   std::to_string(set.images_NHW.size(0)) + " images of " + images_source);
  }
  const auto largest = set.labels_N.max().item<int64_t>();
  if (largest > 9) throw io_error(labels_source + ": holds the label " + std::to_string(largest) + "; they are 0 to 9");
  return set;
}

std::filesystem::path find(const std::filesystem::path& directory, const std::string& name) {
  for (const char* ending : {".gz", ""}) {
    if (std::filesystem::exists(directory / (name + ending))) return directory / (name + ending);
  }
  throw io_error((directory / name).string() + ": is missing, and so is " + name + ".gz");
}

std::string images_name(const std::string& set) { return set + "-images-idx3-ubyte"; }
std::string labels_name(const std::string& set) { return set + "-labels-idx1-ubyte"; }

}  // namespace

LabelledImages embedded_mnist() {
  return parse({logodds_mnist_images, logodds_mnist_images_end}, "the program's own images",
               {logodds_mnist_labels, logodds_mnist_labels_end}, "the program's own labels");
}

bool has_image_files(const std::filesystem::path& directory, const std::string& set) {
  const auto there = [&](const std::string& name) {
    return std::filesystem::exists(directory / name) || std::filesystem::exists(directory / (name + ".gz"));
  };
  return there(images_name(set)) || there(labels_name(set));
}

LabelledImages read_image_files(const std::filesystem::path& directory, const std::string& set) {
  constexpr uint64_t kMostBytes = uint64_t{1} << 30;
  const auto images = find(directory, images_name(set)), labels = find(directory, labels_name(set));
  return parse(read_file(images, kMostBytes), images.string(), read_file(labels, kMostBytes), labels.string());
}

}  // namespace logodds
