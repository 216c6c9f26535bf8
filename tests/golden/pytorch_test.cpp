// Our models and losses against numbers that Python PyTorch computed from its own statement of the equations:
// tests/golden/pytorch_reference.py wrote pytorch_reference.safetensors.

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "models/mlp.h"
#include "models/transformer.h"
#include "tests/golden/reference.h"
#include "training/gradient.h"
#include "training/losses/cross_entropy.h"

namespace logodds {
namespace {

void expect_same_as_pytorch(const Model& model, const std::string& name) {
  const NamedTensors reference = reference_under(name + "/");
  Parameters parameters(model.specs(), 1, at::kDouble);
  parameters.load(0, reference_under(name + "/weights/"), name);
  const Tensor logits = model.logits(parameters, reference.at("inputs").unsqueeze(0));
  EXPECT_LT((logits[0] - reference.at("logits")).abs().max().item<double>(), 1e-12);
  const Tensor inputs = reference.at("inputs").unsqueeze(0), targets = reference.at("targets").unsqueeze(0);
  const Tensor loss = loss_gradient(model, CrossEntropyLoss({}), parameters, inputs, targets);
  EXPECT_NEAR(loss.item<double>(), reference.at("loss").item<double>(), 1e-13);
  for (const auto& spec : parameters.specs()) {
    const Tensor& expected = reference.at("gradients/" + spec.name);
    EXPECT_LT((parameters.gradient(spec.name)[0] - expected).abs().max().item<double>(), 1e-12) << spec.name;
  }
}

TEST(PyTorch, TransformerWithEqualsTokenHasTheSameLogitsLossAndGradients) {
  Transformer::Options options;
  options.d_model = 8;
  options.heads = 2;
  options.d_mlp = 12;
  expect_same_as_pytorch(Transformer(options, {7, 2, 7}), "equals");
}

TEST(PyTorch, BidirectionalTransformerWithMixedAttentionHasTheSameLogitsLossAndGradients) {
  Transformer::Options options;
  options.d_model = 8;
  options.heads = 2;
  options.d_mlp = 12;
  options.causal = options.equals_token = false;
  options.attention_mix = 0.25;
  options.activation = "quadratic";
  expect_same_as_pytorch(Transformer(options, {7, 2, 7}), "pizza");
}

TEST(PyTorch, DeepMlpWithSeparateEmbeddingsHasTheSameLogitsLossAndGradients) {
  Mlp::Options options;
  options.embedding = "separate";
  options.combine = "concatenation";
  options.d_embed = 8;
  options.hidden = {12, 12};
  options.activation = "gelu";
  expect_same_as_pytorch(Mlp(options, {7, 2, 7}), "mlp");
}

}  // namespace
}  // namespace logodds
