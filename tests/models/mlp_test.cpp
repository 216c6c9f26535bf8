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

/// Features [R,B,F] of which a share is not 0.
Tensor features(int64_t runs, int64_t samples, int64_t count, double share) {
  auto generator = stream(5, "features");
  const Tensor x = at::randn({runs, samples, count}, generator, at::kDouble);
  return x * at::rand(x.sizes(), generator, at::kDouble).lt(share);
}

TEST(Mlp, FoldedFormOfFeaturesEqualsTheTraceSparseAndDenseWithOneLogitAndMany) {
  for (const double share : {0.02, 0.2, 1.0}) {
    for (const int64_t classes : {2, 5}) {
      for (const bool bias : {true, false}) {
        Mlp::Options options = small();
        options.bias = bias;
        options.hidden = bias ? std::vector<int64_t>{150, 9} : std::vector<int64_t>{19};
        const Mlp model(options, {.tokens = 0, .positions = 37, .classes = classes, .single_logit = classes == 2});
        Parameters parameters = random_parameters(model, 2);
        expect_fast_forms_equal_trace(
            model, parameters, features(2, 250, 37, share),
            "share " + std::to_string(share) + ", classes " + std::to_string(classes) + (bias ? ", biases" : ""));
      }
    }
  }
}

TEST(Mlp, FeaturesReadInTheDataSetGiveTheTracesGradientsAndThoseOfWInTheSameBitsForAnyNumberOfThreads) {
  Mlp::Options options = small();
  options.hidden = {21, 9};
  const Mlp model(options, {.tokens = 0, .positions = 38, .classes = 5});
  Parameters parameters = random_parameters(model, 2);
  auto generator = stream(6, "rows");
  const Tensor rows = at::randint(70, {2, 300}, generator, at::kLong);  // more than are summed at once
  for (const double share : {0.1, 1.0}) {
    const Inputs inputs(features(1, 70, 38, share)[0], rows);
    const Tensor draws = at::randn({2, 300, 5}, generator, at::kDouble), weights = draws - draws.mean(-1, true);
    const auto expected = trace_gradients(model, parameters, inputs.tensor(), weights);
    const int threads = at::get_num_threads();
    Tensor first;
    for (const int count : {1, 2, 3}) {
      at::set_num_threads(count);
      expect_same_gradients(parameters, expected, tile_step_gradients(model, parameters, inputs, weights),
                            "share " + std::to_string(share) + ", threads " + std::to_string(count));
      const Tensor W_in = parameters.gradient("blocks.0.mlp.W_in").clone();
      if (!first.defined()) first = W_in;
      // A sample's hidden gradients do not depend on the thread that makes them.
      EXPECT_TRUE(at::equal(W_in, first)) << count;
    }
    at::set_num_threads(threads);
  }
}

TEST(Mlp, ASingleLogitIsTheDifferenceOfTheTwoClasses) {
  const Mlp model(small(), {.tokens = 0, .positions = 3, .classes = 2, .single_logit = true});
  const Parameters parameters = random_parameters(model, 1);
  const Tensor x = features(1, 4, 3, 1.0), logits = model.trace(parameters, x, untapped);
  const Tensor hidden = at::relu(x.matmul(parameters["blocks.0.mlp.W_in"]) + parameters["blocks.0.mlp.b_in"]);
  const Tensor u = hidden.matmul(parameters["unembed.W_U"]) + parameters["unembed.b_U"];
  EXPECT_LT((logits.select(2, 1) - logits.select(2, 0) - u.squeeze(2)).abs().max().item<double>(), 1e-13);
  EXPECT_LT(logits.sum(2).abs().max().item<double>(), 1e-13);
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
