#include "models/forecaster_ensemble.h"

#include "core/error.h"
#include "core/log_odds.h"
#include "models/circuits/forecasters.h"
#include "models/mlp.h"
#include "tests/models/check_model.h"

namespace logodds {
namespace {

constexpr int64_t kFeatures = 3, kWidth = 2, kClasses = 4;

InputShape shape(bool single = false) {
  return {.tokens = 0,
          .positions = kFeatures * kWidth,
          .classes = single ? 2 : kClasses,
          .width = kWidth,
          .single_logit = single};
}

ForecasterEnsemble ensemble(std::vector<int64_t> hidden, bool bias = true, bool single = false) {
  ForecasterEnsemble::Options options;
  options.hidden = std::move(hidden);
  options.bias = bias;
  options.activation = "gelu";
  return {options, shape(single)};
}

Tensor features(int64_t runs, int64_t samples) {
  auto generator = stream(7, "features");
  return at::randn({runs, samples, kFeatures * kWidth}, generator, at::kDouble);
}

/// The same function by an Mlp per feature and run.
Tensor by_separate_networks(const Parameters& parameters, const Tensor& inputs, const std::vector<int64_t>& hidden) {
  std::vector<Tensor> runs;
  for (int64_t run = 0; run < inputs.size(0); ++run) {
    Tensor sum = parameters["unembed.b_U"][run].unsqueeze(0);
    for (int64_t i = 0; i < kFeatures; ++i) {
      Tensor x = inputs[run].narrow(1, i * kWidth, kWidth);
      for (size_t layer = 0; layer < hidden.size(); ++layer) {
        const std::string name = "blocks." + std::to_string(layer) + ".mlp.";
        x = at::gelu(at::mm(x, parameters[name + "W_in"][run][i]) + parameters[name + "b_in"][run][i]);
      }
      sum = sum + at::mm(x, parameters["unembed.W_U"][run][i]);
    }
    runs.push_back(sum);
  }
  return at::stack(runs);
}

TEST(ForecasterEnsemble, IsTheSumOfOneNetworkPerFeature) {
  for (const std::vector<int64_t>& hidden : {std::vector<int64_t>{}, {5}, {5, 3}}) {
    const auto model = ensemble(hidden);
    const Parameters parameters = random_parameters(model, 2);
    const Tensor inputs = features(2, 9), logits = model.trace(parameters, inputs, untapped);
    EXPECT_LT((logits - by_separate_networks(parameters, inputs, hidden)).abs().max().item<double>(), 1e-13);
  }
}

TEST(ForecasterEnsemble, ASingleLogitIsHalfAwayFromBothClasses) {
  const auto model = ensemble({4}, true, true);
  const Tensor logits = model.trace(random_parameters(model, 1), features(1, 9), untapped);
  EXPECT_TRUE(logits.select(2, 0).equal(-logits.select(2, 1)));
}

TEST(ForecasterEnsemble, TapsSeeWhatEachFeatureSaysAndCanSilenceIt) {
  const auto model = ensemble({4});
  const Parameters parameters = random_parameters(model, 1);
  std::vector<std::string> seen;
  const Tensor silenced = model.trace(parameters, features(1, 9), [&](const std::string& name, const Tensor& x) {
    seen.push_back(name + " " + std::to_string(x.size(2)));
    return name == "forecasters.hook_logits" ? at::zeros_like(x) : x;
  });
  EXPECT_EQ(seen, (std::vector<std::string>{"hook_embed 3", "blocks.0.mlp.hook_pre 3", "blocks.0.mlp.hook_post 3",
                                            "forecasters.hook_logits 3"}));
  EXPECT_TRUE(silenced.equal(parameters["unembed.b_U"].unsqueeze(1).expand_as(silenced)));
}

TEST(ForecasterEnsemble, RefusesTokens) {
  EXPECT_THROW(ForecasterEnsemble({}, {.tokens = 5, .positions = 2, .classes = 5}), Error);
}

TEST(ForecasterCircuits, AreWhatEachFeatureSaysAndSumToTheLogits) {
  for (const bool single : {false, true}) {
    for (const std::vector<int64_t>& hidden : {std::vector<int64_t>{}, {5}}) {
      const auto model = ensemble(hidden, true, single);
      const Parameters one = random_parameters(model, 1);
      const Tensor inputs = features(1, 9)[0], logits = model.logits(one, inputs.unsqueeze(0))[0];
      const ForecasterCircuits circuits({}, {model, one, inputs, logits});
      EXPECT_EQ(circuits.labels(), (std::vector<std::string>{"feature 1", "feature 2", "feature 3", "bias"}));
      EXPECT_LT(completeness_error(circuits, logits), 1e-14);
      // A part does not move with the other features' readings.
      Tensor other = inputs.clone();
      other.narrow(1, 0, kWidth).add_(1);
      const ForecasterCircuits moved({}, {model, one, other, model.logits(one, other.unsqueeze(0))[0]});
      EXPECT_LT((moved.part(1) - circuits.part(1)).abs().max().item<double>(), 1e-14);
      EXPECT_GT((moved.part(0) - circuits.part(0)).abs().max().item<double>(), 1e-2);
    }
  }
}

TEST(ForecasterCircuits, RefuseAModelThatIsNoEnsemble) {
  const Mlp model({}, shape());
  const Parameters one = random_parameters(model, 1);
  const Tensor inputs = features(1, 2)[0];
  EXPECT_THROW(ForecasterCircuits({}, {model, one, inputs, model.logits(one, inputs.unsqueeze(0))[0]}), Error);
}

}  // namespace
}  // namespace logodds
