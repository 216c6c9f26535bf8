#include "models/transformer.h"

#include "core/error.h"
#include "tests/models/check_model.h"

namespace logodds {
namespace {

Transformer::Options small() {
  Transformer::Options options;
  options.d_model = 8;
  options.heads = 2;
  options.d_mlp = 12;
  return options;
}

TEST(Transformer, FoldedFormAndItsGradientsEqualTheTraceForEveryArchitecture) {
  for (const int64_t p : {2, 3, 7}) {
    for (const bool equals : {true, false}) {
      for (const bool causal : {true, false}) {
        for (const double mix : {1.0, 0.3, 0.0}) {
          for (const int64_t heads : {1, 4}) {
            Transformer::Options options = small();
            options.equals_token = equals;
            options.causal = causal;
            options.attention_mix = mix;
            options.heads = heads;
            options.activation = heads == 1 ? "relu" : "gelu";
            const std::string what = "p=" + std::to_string(p) + " equals=" + std::to_string(equals) +
                                     " causal=" + std::to_string(causal) + " mix=" + std::to_string(mix);
            expect_fast_forms_equal_trace(Transformer(options, {p, 2, p}), 2, p, what);
          }
        }
      }
    }
  }
}

TEST(Transformer, FoldedFormEqualsTheTraceWithMoreClassesAndUnitsThanAreSummedAtOnce) {
  Transformer::Options options = small();
  options.d_mlp = 140;
  expect_fast_forms_equal_trace(Transformer(options, {151, 2, 151}), 1, 151, "p=151");
}

TEST(Transformer, WhatIsNotReadOfTheLastBlockChangesNeitherLogitsNorGradients) {
  for (const bool causal : {true, false}) {
    for (const bool equals : {true, false}) {
      Transformer::Options options = small();
      options.layers = 2;
      options.causal = causal;
      options.equals_token = equals;
      options.biases = equals ? "all" : "mlp";
      options.attention_mix = 0.7;
      const std::string what = "causal=" + std::to_string(causal) + " equals=" + std::to_string(equals);
      expect_fast_forms_equal_trace(Transformer(options, {5, 2, 5}), 2, 5, what);
    }
  }
}

TEST(Transformer, TablesAreMadeWhereEnoughSamplesReadThem) {
  const Transformer model(small(), {113, 2, 113});
  const Parameters parameters = random_parameters(model, 1);
  EXPECT_FALSE(model.fold(parameters, random_inputs(1, 32, 113), /*gauge=*/false).has_value());
  EXPECT_TRUE(model.fold(parameters, random_inputs(1, 113, 113), /*gauge=*/false).has_value());
  expect_fast_forms_equal_trace(model, 2, 113, "enough");
}

TEST(Transformer, GradientsEqualFiniteDifferences) {
  Transformer::Options options = small();
  options.activation = "gelu";  // smooth: differences never straddle a kink
  expect_gradients_equal_differences(Transformer(options, {5, 2, 5}), 5);
  options.layers = 2;
  options.equals_token = false;
  expect_gradients_equal_differences(Transformer(options, {5, 2, 5}), 5);
}

TEST(Transformer, WithAllBiasesZeroIsTheOneWithoutAndWithOthersItsGradientsEqualDifferences) {
  Transformer::Options options = small();
  const Transformer plain(options, {5, 2, 5});
  options.biases = "all";
  options.activation = "gelu";
  const Transformer biased(options, {5, 2, 5});
  expect_gradients_equal_differences(biased, 5);
  options.activation = "relu";
  const Transformer relu(options, {5, 2, 5});
  Parameters with = random_parameters(relu, 1);
  const Parameters without = random_parameters(plain, 1);
  for (const char* name :
       {"blocks.0.attn.b_Q", "blocks.0.attn.b_K", "blocks.0.attn.b_V", "blocks.0.attn.b_O", "unembed.b_U"}) {
    with[name].zero_();
  }
  const Tensor inputs = random_inputs(1, 20, 5);
  EXPECT_LT((relu.logits(with, inputs) - plain.logits(without, inputs)).abs().max().item<double>(), 1e-12);
}

TEST(Transformer, ExtremeAttentionScoresStayFinite) {
  const Transformer model(small(), {5, 2, 5});
  Parameters parameters = random_parameters(model, 1).to(at::kFloat);
  parameters["blocks.0.attn.W_Q"].mul_(1e18);
  parameters["blocks.0.attn.W_K"].mul_(1e18);
  EXPECT_TRUE(model.logits(parameters, random_inputs(1, 20, 5)).isfinite().all().item<bool>());
}

TEST(Transformer, CausalAttentionDoesNotLookAhead) {
  Transformer::Options options = small();
  options.layers = 2;
  const Transformer model(options, {5, 2, 5});
  const Parameters parameters = random_parameters(model, 1);
  const auto first_position = [&](int64_t b) {
    Tensor seen;
    model.trace(parameters, at::tensor({1L, b}).view({1, 1, 2}),
                [&](const std::string& name, const Tensor& activation) {
                  if (name == "blocks.1.hook_resid_post") seen = activation.select(2, 0);
                  return activation;
                });
    return seen;
  };
  EXPECT_TRUE(first_position(0).equal(first_position(3)));
}

TEST(Transformer, ActivationsCarryTransformerLensNames) {
  const Transformer model(small(), {5, 2, 5});
  std::vector<std::string> seen;
  model.trace(random_parameters(model, 1), random_inputs(1, 2, 5),
              [&](const std::string& name, const Tensor& activation) {
                seen.push_back(name);
                return activation;
              });
  EXPECT_EQ(seen,
            (std::vector<std::string>{"hook_embed", "hook_pos_embed", "blocks.0.hook_resid_pre", "blocks.0.attn.hook_q",
                                      "blocks.0.attn.hook_k", "blocks.0.attn.hook_v", "blocks.0.attn.hook_attn_scores",
                                      "blocks.0.attn.hook_pattern", "blocks.0.attn.hook_z", "blocks.0.hook_attn_out",
                                      "blocks.0.hook_resid_mid", "blocks.0.mlp.hook_pre", "blocks.0.mlp.hook_post",
                                      "blocks.0.hook_mlp_out", "blocks.0.hook_resid_post"}));
}

TEST(Transformer, RefusesHeadsThatDoNotDivideTheWidth) {
  Transformer::Options options = small();
  options.heads = 3;
  EXPECT_THROW(Transformer(options, {5, 2, 5}), Error);
}

}  // namespace
}  // namespace logodds
