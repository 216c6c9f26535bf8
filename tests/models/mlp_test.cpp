#include "models/mlp.h"

#include "core/error.h"
#include "tests/models/check_model.h"

namespace logodds {
namespace {

constexpr int64_t kP = 5;

Mlp::Options small() {
  Mlp::Options options;
  options.d_embed = 6;
  options.hidden = {8};
  return options;
}

TEST(Mlp, FoldedFormAndItsGradientsEqualTheTraceForEveryArchitecture) {
  for (const std::string embedding : {"shared", "separate", "one_hot"}) {
    for (const std::string combine : {"sum", "concatenation"}) {
      for (const std::string activation : {"relu", "gelu", "quadratic"}) {
        for (const bool bias : {true, false}) {
          Mlp::Options options = small();
          options.embedding = embedding;
          options.combine = combine;
          options.activation = activation;
          options.bias = bias;
          if (bias) options.hidden = {8, 4, 3};
          const std::string what = embedding + " " + combine + " " + activation + (bias ? " deep" : " no bias");
          expect_fast_forms_equal_trace(Mlp(options, {kP, 2, kP}), 3, kP, what);
        }
      }
    }
  }
}

TEST(Mlp, GradientsEqualFiniteDifferences) {
  Mlp::Options options = small();
  options.activation = "gelu";  // smooth: differences never straddle a kink
  options.hidden = {8, 4};
  expect_gradients_equal_differences(Mlp(options, {kP, 2, kP}), kP);
}

TEST(Mlp, TapsSeeTheNamedActivationsAndCanReplaceThem) {
  const Mlp model(small(), {kP, 2, kP});
  const Parameters parameters = random_parameters(model, 1);
  const Tensor inputs = random_inputs(1, 4, kP);
  std::vector<std::string> seen;
  const Tensor silenced = model.trace(parameters, inputs, [&](const std::string& name, const Tensor& activation) {
    seen.push_back(name);
    return name == "blocks.0.mlp.hook_post" ? at::zeros_like(activation) : activation;
  });
  EXPECT_EQ(seen, (std::vector<std::string>{"hook_embed", "blocks.0.mlp.hook_pre", "blocks.0.mlp.hook_post"}));
  EXPECT_TRUE(silenced.equal(parameters["unembed.b_U"].unsqueeze(1).expand_as(silenced)));
}

TEST(Mlp, RefusesToHaveNoHiddenLayer) {
  Mlp::Options options = small();
  options.hidden = {};
  EXPECT_THROW(Mlp(options, {kP, 2, kP}), Error);
}

}  // namespace
}  // namespace logodds
