// What holds for every decomposition, and what each of the small ones is.

#include <gtest/gtest.h>

#include "core/error.h"
#include "core/log_odds.h"
#include "models/circuits/svd.h"
#include "tests/models/circuits/networks.h"

namespace logodds {
namespace {

constexpr int64_t kP = 7;

std::vector<std::pair<std::string, Network>> transformers(at::ScalarType type) {
  std::vector<std::pair<std::string, Network>> all;
  for (const int64_t layers : {1, 2}) {
    for (const bool equals : {true, false}) {
      for (const bool causal : {true, false}) {
        for (const double mix : {1.0, 0.4}) {
          const std::string name = "transformer, layers " + std::to_string(layers) + ", equals " +
                                   std::to_string(equals) + ", causal " + std::to_string(causal);
          all.emplace_back(name, random_network(small_transformer(kP, layers, equals, causal, mix), kP, type));
        }
      }
    }
  }
  all.emplace_back("transformer with all biases",
                   random_network(small_transformer(kP, 2, true, true, 1, "all"), kP, type));
  return all;
}

std::vector<std::pair<std::string, Network>> mlps(at::ScalarType type) {
  std::vector<std::pair<std::string, Network>> all;
  for (const char* embedding : {"shared", "separate", "one_hot"}) {
    for (const char* combine : {"sum", "concatenation"}) {
      for (const bool bias : {true, false}) {
        for (const auto& hidden : {std::vector<int64_t>{4}, std::vector<int64_t>{9, 15}}) {
          const Mlp::Options options{.embedding = embedding,
                                     .combine = combine,
                                     .d_embed = 6,
                                     .hidden = hidden,
                                     .activation = "gelu",
                                     .bias = bias,
                                     .init_scale = {}};
          all.emplace_back(std::string("mlp ") + embedding + " " + combine,
                           random_network(std::make_unique<Mlp>(options, InputShape{kP, 2, kP}), kP, type));
        }
      }
    }
  }
  return all;
}

/// Those that take tokens; the others are tested in image_circuits_test.cpp.
std::vector<std::string> for_tokens() {
  std::vector<std::string> names = decompositions().names();
  std::erase_if(names, [](const std::string& name) {
    return name == "input_gradient" || name == "patch_shapley" || name == "forecasters";
  });
  return names;
}

void expect_complete(const std::string& name, const Network& network, double error) {
  const auto circuits = network.circuits(name);
  EXPECT_LE(completeness_error(*circuits, network.logits), error) << name;
  Tensor total = at::zeros_like(network.logits);
  for (int64_t p = 0; p < circuits->size(); ++p) total += circuits->part(p);
  const double largest = network.logits.abs().max().item<double>();
  EXPECT_LE((total - centred(network.logits)).abs().max().item<double>(), error * largest) << name << ", one by one";
}

TEST(Decompositions, AreCompleteForEveryModelTheyAccept) {
  for (const auto& [type, error] : {std::pair(at::kDouble, 1e-12), std::pair(at::kFloat, 1e-5)}) {
    for (const auto& [model, network] : transformers(type)) {
      SCOPED_TRACE(model);
      for (const auto& name : for_tokens()) {
        if (name != "unit_clusters") expect_complete(name, network, error);  // k-means is slow; once, below
      }
    }
    for (const auto& [model, network] : mlps(type)) {
      SCOPED_TRACE(model);
      for (const char* name : {"output_frequency", "neuron_clusters", "svd", "units"})
        expect_complete(name, network, error);
    }
  }
}

TEST(Decompositions, AgreeWithTheirOwnPartsOnClassesSumsAndInnerProducts) {
  const Network network = random_network(small_transformer(kP, 1, true, true, 1), kP);
  const Tensor x = at::sin(at::arange(kP * kP * kP, at::kDouble)).view({kP * kP, kP});
  for (const auto& name : for_tokens()) {
    const auto circuits = network.circuits(name);
    const Tensor inner = circuits->inner(x), at_classes = circuits->at_classes(network.targets);
    for (int64_t p = 0; p < circuits->size(); ++p) {
      const Tensor part = circuits->part(p);
      EXPECT_NEAR(inner[p].item<double>(), (part * x).sum().item<double>(), 1e-10) << name;
      const Tensor at_class = part.gather(1, network.targets.unsqueeze(1)).squeeze(1);
      EXPECT_LT((at_classes[p] - at_class).abs().max().item<double>(), 1e-12) << name;
      EXPECT_LT((circuits->at_class(p, network.targets) - at_class).abs().max().item<double>(), 1e-12) << name;
    }
    expect_complete(name, network, 1e-12);
    const Tensor two = circuits->part(0) + circuits->part(2);
    EXPECT_LT((circuits->sum({0, 2}) - two).abs().max().item<double>(), 1e-12) << name;
    EXPECT_NEAR(energy_shares(*circuits, network.logits).sum().item<double>(), 1, 1e-12) << name;
  }
}

TEST(Decompositions, RefuseModelsThatTheyDoNotFit) {
  const Network mlp = random_network(std::make_unique<Mlp>(Mlp::Options(), InputShape{kP, 2, kP}), kP);
  EXPECT_THROW(
      {
        try {
          mlp.circuits("residual_paths");
        } catch (const Error& error) {
          EXPECT_STREQ(error.what(),
                       "residual_paths: the model has no residual stream, so there are no paths beside its last hidden "
                       "layer; take neuron_clusters, svd or output_frequency");
          throw;
        }
      },
      Error);
  Network half = random_network(small_transformer(kP, 1, true, true, 1), kP);
  half.inputs = half.inputs.narrow(0, 0, 20);
  half.refresh();
  EXPECT_THROW(half.circuits("neuron_clusters"), Error);
  EXPECT_NO_THROW(half.circuits("residual_paths"));
}

TEST(Decompositions, FindCircuitsByLabelAndNameTheNearest) {
  const auto circuits = random_network(small_transformer(kP, 1, true, true, 1), kP).circuits("residual_paths");
  EXPECT_EQ(circuits->find({"L0H1", "embed", "L0H1"}), (std::vector<int64_t>{3, 0}));
  EXPECT_EQ(circuits->all_but({0, 1, 2, 3}), (std::vector<int64_t>{4, 5}));
  try {
    circuits->find({"L0H9"});
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("there is no circuit 'L0H9' (did you mean"), std::string::npos);
  }
}

TEST(Decompositions, CrossedWithAProjectionTheEnergyIsThatOfTheParts) {
  const Network network = random_network(small_transformer(kP, 1, true, true, 1), kP);
  const auto paths = network.circuits("residual_paths"), frequencies = network.circuits("output_frequency");
  const Crossing crossing = cross(*paths, *frequencies, network.logits),
                 back = cross(*frequencies, *paths, network.logits);
  const double total = centred(network.logits).square().sum().item<double>();
  EXPECT_NEAR(crossing.overlap_PQ.sum().item<double>(), 1, 1e-12);
  EXPECT_LT((crossing.overlap_PQ - back.overlap_PQ.t()).abs().max().item<double>(), 1e-12);
  EXPECT_FALSE(back.energy_PQ);
  // A part's energy in all frequencies is its own energy: the frequencies are complete.
  for (int64_t p = 0; p < paths->size(); ++p) {
    EXPECT_NEAR((*crossing.energy_PQ)[p].sum().item<double>(), paths->part(p).square().sum().item<double>() / total,
                1e-12);
  }
}

TEST(ResidualPaths, HaveTransformerLensLabels) {
  const auto circuits = random_network(small_transformer(kP, 2, true, true, 1), kP).circuits("residual_paths");
  EXPECT_EQ(circuits->labels(), (std::vector<std::string>{"embed", "pos_embed", "L0H0", "L0H1", "L0H2", "0_mlp_out",
                                                          "L1H0", "L1H1", "L1H2", "1_mlp_out"}));
  const auto biased = random_network(small_transformer(kP, 1, true, true, 1, "all"), kP).circuits("residual_paths");
  EXPECT_EQ(biased->labels(),
            (std::vector<std::string>{"embed", "pos_embed", "L0H0", "L0H1", "L0H2", "bias", "0_mlp_out"}));
}

TEST(ResidualPaths, AHeadsPartIsWhatTheLogitsLoseWithoutItWhereNothingReadsIt) {
  Network network = random_network(small_transformer(kP, 1, true, true, 1), kP);
  network.parameters["blocks.0.mlp.W_in"].zero_();  // the MLP does not see the head
  network.refresh();
  const Tensor whole = centred(network.logits), part = network.circuits("residual_paths")->part(3);
  network.parameters["blocks.0.attn.W_O"][0][1].zero_();
  network.refresh();
  EXPECT_GT(part.abs().max().item<double>(), 0.1);
  EXPECT_LT((whole - centred(network.logits) - part).abs().max().item<double>(), 1e-12);
}

TEST(Svd, ProjectsOnTheSingularDirectionsOfTheNeuronToLogitMap) {
  const Network network = random_network(small_transformer(kP, 1, true, true, 1), kP);
  const Svd circuits({}, network.observed());
  const Tensor W_L = centred(at::mm(network.parameters["blocks.0.mlp.W_out"][0], network.parameters["unembed.W_U"][0]));
  const auto [U, S, Vh] = at::linalg_svd(W_L, false);
  ASSERT_EQ(circuits.size(), kP - 1);
  EXPECT_EQ(circuits.labels()[1], "direction 2");
  EXPECT_LT((circuits.singular_values() - S.narrow(0, 0, kP - 1)).abs().max().item<double>(), 1e-12);
  const Tensor v = Vh[1], expected = at::mv(network.logits, v).unsqueeze(1) * v;
  EXPECT_LT((circuits.part(1) - expected).abs().max().item<double>(), 1e-11);
}

TEST(Svd, WhatANarrowLayerCannotReachIsTheNullSpace) {
  Mlp::Options options;
  options.hidden = {3};
  options.bias = true;
  Network network = random_network(std::make_unique<Mlp>(options, InputShape{kP, 2, kP}), kP);
  const auto circuits = network.circuits("svd");
  EXPECT_EQ(circuits->labels(), (std::vector<std::string>{"direction 1", "direction 2", "direction 3", "null space"}));
  EXPECT_GT(circuits->part(3).abs().max().item<double>(), 1e-3);
  network.parameters["unembed.b_U"].zero_();  // only the bias writes there
  network.refresh();
  EXPECT_LT(network.circuits("svd")->part(3).abs().max().item<double>(), 1e-12);
}

}  // namespace
}  // namespace logodds
