#include <ATen/ATen.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <map>
#include <memory>
#include <sstream>

#include "core/error.h"
#include "core/files.h"
#include "core/idx.h"
#include "experiments/commands/commands.h"
#include "experiments/download.h"
#include "experiments/report/status_line.h"

namespace logodds {

namespace {

namespace fs = std::filesystem;
using Digests = std::map<std::string, std::string>;  ///< SHA-256 by the file's name

struct Published {
  std::string base;  ///< where its authors put it
  Digests digests;   ///< those that could be verified
};

const std::map<std::string, Published>& published() {
  static const std::map<std::string, Published> sets{
      {"mnist",
       {"http://yann.lecun.com/exdb/mnist",
        {{"t10k-images-idx3-ubyte.gz", "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"},
         {"t10k-labels-idx1-ubyte.gz", "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"}}}},
      {"fashion_mnist", {"http://fashion-mnist.s3-website.eu-central-1.amazonaws.com", {}}},
      {"kmnist", {"http://codh.rois.ac.jp/kmnist/dataset/kmnist", {}}}};
  return sets;
}

struct Arguments {
  std::string name, url, out, sha256;
  int64_t stall_seconds = 30;
};

}  // namespace

std::map<std::string, std::string> read_digests(const std::string& path) {
  std::istringstream lines(read_file(path, 1 << 20));
  Digests digests;
  std::string line;
  for (int64_t number = 1; std::getline(lines, line); ++number) {
    std::istringstream words(line);
    std::string hex, name, more;
    if (!(words >> hex)) continue;
    words >> name;
    if (hex.size() != 64 || hex.find_first_not_of("0123456789abcdef") != std::string::npos || name.empty() ||
        words >> more) {
      throw Error(path + ":" + std::to_string(number) + ": a line is a SHA-256 and a file's name, as sha256sum prints");
    }
    digests[name.starts_with('*') ? name.substr(1) : name] = hex;
  }
  return digests;
}

namespace {

/// The file has the digest, where that is known, and holds as many 28 × 28 images or labels as its name says.
void verify(std::string_view content, const std::string& name, const Digests& digests) {
  const auto known = digests.find(name);
  const std::string digest = logodds::sha256(content);
  if (known != digests.end() && digest != known->second)
    throw io_error("is not the file with SHA-256 " + known->second + "; it has " + digest);
  const bool images = name.find("images") != std::string::npos;
  const int64_t count = name.starts_with("train") ? 60000 : 10000;
  const Tensor entries = read_idx(content, images ? 3 : 1, name);
  const std::vector<int64_t> expected = images ? std::vector<int64_t>{count, 28, 28} : std::vector<int64_t>{count};
  if (entries.sizes() != at::IntArrayRef(expected)) {
    throw io_error("holds " + std::to_string(entries.size(0)) + " entries of another shape than the " +
                   std::to_string(count) + " that belong there");
  }
}

void fetch_set(const Arguments& arguments) {
  const Published& set = published().at(arguments.name);
  const std::string base = arguments.url.empty() ? set.base : arguments.url;
  const fs::path out = arguments.out.empty() ? fs::path("data") / arguments.name : fs::path(arguments.out);
  const Digests digests = arguments.sha256.empty() ? set.digests : read_digests(arguments.sha256);
  std::error_code error;
  fs::create_directories(out, error);
  if (error) throw io_error(out.string() + ": cannot create directory: " + error.message());
  StatusLine status;
  for (const std::string name : {"train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz",
                                 "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"}) {
    if (!arguments.sha256.empty() && !digests.contains(name))
      throw Error(arguments.sha256 + ": has no line for " + name);
    if (!fs::exists(out / name)) {
      fetch({.url = base + (base.ends_with('/') ? "" : "/") + name,
             .to = out / name,
             .stall_seconds = arguments.stall_seconds,
             .progress =
                 [&](int64_t received, int64_t total) {
                   if (status.due())
                     status.show(name + ": " + std::to_string(received / 1000) + " of " +
                                 (total > 0 ? std::to_string(total / 1000) : std::string("?")) + " kB");
                 },
             .verify = [&](std::string_view content) { verify(content, name, digests); }});
      status.finish();
    }
    const std::string content = read_file(out / name, 1 << 30);
    try {
      verify(content, name, digests);
    } catch (const Error& wrong) {
      throw io_error((out / name).string() + ": " + wrong.what() + "; remove it to fetch it again");
    }
    std::cout << logodds::sha256(content) << "  " << name << std::endl;
  }
}

}  // namespace

void add_data(CLI::App& app) {
  auto* command = app.add_subcommand("data", "Fetch a data set for task: {kind: mnist, directory: DIR}");
  auto arguments = std::make_shared<Arguments>();
  std::vector<std::string> names;
  for (const auto& [name, set] : published()) names.push_back(name);
  command->add_option("NAME", arguments->name, "mnist, fashion_mnist or kmnist")
      ->required()
      ->check(CLI::IsMember(names));
  command->add_option("--url", arguments->url, "Directory of the four .gz files on a server (default: the authors')");
  command->add_option("--out", arguments->out, "Directory to put them in (default data/NAME)");
  command->add_option("--sha256", arguments->sha256, "File of digests to hold them against, as sha256sum prints them");
  command
      ->add_option("--stall-seconds", arguments->stall_seconds, "A connection without a byte for so long is given up")
      ->check(CLI::PositiveNumber);
  command->callback([arguments] { fetch_set(*arguments); });
}

}  // namespace logodds
