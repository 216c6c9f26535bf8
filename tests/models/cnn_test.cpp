#include "models/cnn.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "tests/models/check_model.h"

namespace logodds {
namespace {

const InputShape kShape{.tokens = 0, .positions = 2 * 9 * 7, .classes = 4, .image = {2, 9, 7}};

Tensor images(int64_t runs, int64_t samples) {
  auto generator = stream(1, "images");
  return at::randn({runs, samples, kShape.positions}, generator, at::kDouble);
}

/// Written out: every output of every layer, place by place.
double plain_logit(const Cnn::Options& options, const Parameters& one, const Tensor& image_F, int64_t c) {
  Tensor x = image_F.view({2, 9, 7});
  for (size_t layer = 0; layer < options.channels.size(); ++layer) {
    const std::string block = "blocks." + std::to_string(layer) + ".conv.";
    const Tensor W = one[block + "W_conv"][0], b = one[block + "b_conv"][0];
    const int64_t k = options.kernel, pool = options.pool;
    const int64_t height = (x.size(1) - k + 1) / pool, width = (x.size(2) - k + 1) / pool;
    const Tensor next = at::zeros({W.size(0), height, width}, at::kDouble);
    for (int64_t o = 0; o < W.size(0); ++o) {
      for (int64_t i = 0; i < height * width; ++i) {
        double largest = 0;  // relu
        for (int64_t dy = 0; dy < pool; ++dy) {
          for (int64_t dx = 0; dx < pool; ++dx) {
            const Tensor seen = x.narrow(1, i / width * pool + dy, k).narrow(2, i % width * pool + dx, k);
            largest = std::max(largest, ((seen * W[o]).sum() + b[o]).item<double>());
          }
        }
        next[o][i / width][i % width] = largest;
      }
    }
    x = next;
  }
  return ((x.flatten() * one["unembed.W_U"][0].select(1, c)).sum() + one["unembed.b_U"][0][c]).item<double>();
}

TEST(Cnn, IsItsDefinitionRunByRun) {
  Cnn::Options options;
  options.channels = {3, 4};
  options.kernel = 2;
  const Cnn cnn(options, kShape);
  const Parameters pack = random_parameters(cnn, 3);
  const Tensor inputs = images(3, 5), logits = cnn.logits(pack, inputs);
  for (int64_t run = 0; run < 3; ++run) {
    const Parameters one = pack.select(run);
    for (int64_t b = 0; b < 5; ++b) {
      for (int64_t c = 0; c < 4; ++c)
        EXPECT_NEAR(logits[run][b][c].item<double>(), plain_logit(options, one, inputs[run][b], c), 1e-12);
    }
  }
}

TEST(Cnn, GradientsEqualDifferences) {
  Cnn::Options options;
  options.channels = {3};
  options.activation = "gelu";
  const Cnn cnn(options, kShape);
  Parameters parameters = random_parameters(cnn, 2);
  const Tensor inputs = images(2, 6), weights = at::sin(at::arange(2 * 6 * 4, at::kDouble)).view({2, 6, 4});
  const auto gradients = trace_gradients(cnn, parameters, inputs, weights);
  for (size_t i = 0; i < gradients.size(); ++i) {
    const Tensor flat = parameters.views()[i][1].view(-1);
    const auto value = [&](double step) {
      flat[0] += step;
      const double found = (cnn.logits(parameters, inputs) * weights).sum().item<double>();
      flat[0] -= step;
      return found;
    };
    EXPECT_NEAR(gradients[i][1].reshape(-1)[0].item<double>(), (value(1e-5) - value(-1e-5)) / 2e-5, 1e-7)
        << parameters.specs()[i].name;
  }
}

TEST(Cnn, ItsPathsSumToTheLogitsAlsoOfASingleOne) {
  InputShape binary = kShape;
  binary.classes = 2;
  binary.single_logit = true;
  for (const InputShape& shape : {kShape, binary}) {
    Cnn::Options options;
    options.channels = {3, 5};
    options.kernel = 2;
    const Cnn cnn(options, InputShape{shape});
    const Parameters one = random_parameters(cnn, 1);
    const Tensor inputs = images(1, 5);
    const LogitPaths paths = cnn.paths(one, inputs[0]);
    Tensor total = at::zeros({5, shape.classes}, at::kDouble);
    for (const auto& path : paths.paths) total = total + at::mm(path.source, path.map_IV);
    EXPECT_LT((total - cnn.logits(one, inputs)[0]).abs().max().item<double>(), 1e-12);
    EXPECT_TRUE(at::relu(paths.pre_BM).equal(paths.paths[paths.neurons].source));
  }
}

TEST(Cnn, RefusesInputsThatAreNoImageAndLayersThatLeaveNothing) {
  EXPECT_THROW(Cnn({}, {.tokens = 5, .positions = 2, .classes = 5}), Error);
  EXPECT_THROW(Cnn({}, {.tokens = 0, .positions = 6, .classes = 2}), Error);
  EXPECT_THROW(Cnn({.channels = {1, 1, 1}}, kShape), Error);
}

}  // namespace
}  // namespace logodds
