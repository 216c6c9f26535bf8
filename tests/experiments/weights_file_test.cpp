#include "experiments/weights_file.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/files.h"
#include "tests/temporary_directory.h"

namespace logodds {
namespace {

const std::vector<ParameterSpec> kSpecs{
    {"blocks.0.mlp.W_in", {2, 3}}, {"blocks.0.mlp.b_in", {3}}, {"unembed.W_U", {3, 4}}};

class WeightsFile : public testing::Test {
 protected:
  NamedTensors read(const NamedTensors& content) {
    write_file_atomically(directory / "w", to_safetensors(content));
    return read_weights(directory / "w", kSpecs);
  }
  std::string refusal(const NamedTensors& content) {
    try {
      read(content);
    } catch (const Error& error) {
      return std::string(error.what()).substr((directory / "w").string().size());
    }
    return "none";
  }
  TemporaryDirectory directory;
  NamedTensors tensors{{"blocks.0.mlp.W_in", at::ones({2, 3})}, {"unembed.W_U", at::ones({3, 4})}};
};

TEST_F(WeightsFile, BiasesThatAreLackingAreZero) {
  EXPECT_TRUE(at::equal(read(tensors).at("blocks.0.mlp.b_in"), at::zeros({3})));
}

TEST_F(WeightsFile, MasksAndZeroBiasesThatTheModelLacksAreLeftOut) {
  tensors["blocks.0.attn.mask"] = at::ones({3, 3}, at::kBool);
  tensors["blocks.0.attn.IGNORE"] = at::zeros({1});
  tensors["blocks.0.attn.b_Q"] = at::zeros({2, 2});
  EXPECT_EQ(read(tensors).size(), 3u);
}

TEST_F(WeightsFile, ABiasThatIsNotZeroIsRefusedWithTheRemedy) {
  tensors["blocks.0.attn.b_Q"] = at::ones({2, 2});
  EXPECT_EQ(refusal(tensors),
            ": 'blocks.0.attn.b_Q' is not zero, and the configured model has no such bias; a transformer has it with "
            "model.biases=all");
}

TEST_F(WeightsFile, TheClassOfTheEqualsTokenIsLeftOutAndNoOtherIs) {
  tensors["unembed.W_U"] = at::arange(15, at::kFloat).view({3, 5});
  EXPECT_TRUE(at::equal(read(tensors).at("unembed.W_U"), at::arange(15, at::kFloat).view({3, 5}).narrow(1, 0, 4)));
  tensors["unembed.W_U"] = at::ones({3, 6});
  EXPECT_EQ(read(tensors).at("unembed.W_U").size(1), 6);  // the model refuses it by its shape
}

}  // namespace
}  // namespace logodds
