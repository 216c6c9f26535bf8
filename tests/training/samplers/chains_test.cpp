#include "training/samplers/chains.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "core/safetensors.h"
#include "tests/training/samplers/toy.h"
#include "tests/training/small_pack.h"
#include "training/samplers/blocks.h"
#include "training/samplers/rmsprop_sgld.h"

namespace logodds {
namespace {

/// A small network, trained for a few steps, and options that suit it.
struct Trained {
  Pack pack;
  SamplingOptions options;

  Trained() : pack(SmallPack().make()) {
    options.chains = 3;
    options.burn_in = 4;
    options.draws = 10;
  }
  NetworkOn network() const {
    const Tensor train = pack.data.train_RB[0];
    return {*pack.model, *pack.loss, pack.data.inputs[0].index_select(0, train),
            pack.data.targets_RN[0].index_select(0, train)};
  }
  Chains chains() const {
    const auto count = static_cast<size_t>(options.chains);
    return make_chains(options, network(), pack.parameters, std::vector<double>(count, 15),
                       std::vector<double>(count, options.localisation));
  }
};

bool same(const Trace& a, const Trace& b) {
  return a.energy_RS.equal(b.energy_RS) && a.distance_RS.equal(b.distance_RS) && a.accepted_RS.equal(b.accepted_RS) &&
         a.place_RS.equal(b.place_RS);
}

TEST(Chains, StoppedAndResumedTheyContinueBitForBit) {
  for (const char* name : {"sgld", "rmsprop_sgld", "mala"}) {
    for (const int64_t batch_size : {0, 7}) {
      if (batch_size > 0 && std::string(name) == "mala") continue;
      Trained trained;
      trained.options.batch_size = batch_size;
      trained.options.sampler.select(name);
      Chains whole = trained.chains();
      whole.run_to(14);
      for (const int64_t stop : {0, 2, 4, 9}) {  // before, in, at the end of and after burn-in
        Chains first = trained.chains();
        first.run_to(stop);
        const auto stored = from_safetensors(to_safetensors(first.state()), "chains");
        Chains second = trained.chains();
        second.restore(stored);
        second.run_to(14);
        EXPECT_TRUE(second.weights().flat().equal(whole.weights().flat())) << name << " " << stop;
        EXPECT_TRUE(same(second.trace(), whole.trace())) << name << " " << stop;
      }
    }
  }
}

TEST(Chains, ExchangedTemperaturesResumeBitForBit) {
  const auto make = [] {
    Target target = quadratic({1, 4}).target(6, 1, 1);
    for (size_t r = 0; r < 6; ++r) target.nbeta[r] = static_cast<double>(1 + r % 3);
    Chains chains(quadratic({1, 4}).chains(6), target, mala(0.3, 0.6), 10, 1);
    chains.temper(3, 2);
    return chains;
  };
  Chains whole = make();
  whole.run_to(60);
  Chains first = make();
  first.run_to(33);
  Chains second = make();
  second.restore(first.state());
  second.run_to(60);
  EXPECT_TRUE(same(second.trace(), whole.trace()));
  EXPECT_EQ(second.exchanges().made, whole.exchanges().made);
  EXPECT_GT(whole.exchanges().made[0], 0);
  EXPECT_FALSE(whole.trace().place_RS.select(1, 59).equal(whole.trace().place_RS.select(1, 0)));
}

TEST(Chains, AChainDoesNotDependOnTheOthers) {
  Trained few, many;
  few.options.chains = 2;
  many.options.chains = 5;
  for (Trained* trained : {&few, &many}) trained->options.sampler.select("sgld");
  Chains a = few.chains(), b = many.chains();
  a.run_to(10);
  b.run_to(10);
  EXPECT_LT((a.weights().flat() - b.weights().flat().narrow(0, 0, 2)).abs().max().item<double>(), 1e-5);
  EXPECT_GT((b.weights().flat()[0] - b.weights().flat()[1]).abs().max().item<double>(), 1e-3);
}

TEST(Chains, OnlyTheSelectedWeightsMove) {
  for (const char* selection : {"unembed.W_U", "blocks.0.mlp", "L0H1"}) {
    Trained trained;
    trained.options.parameters = selection;
    Chains chains = trained.chains();
    chains.run_to(3);
    const Tensor moved = chains.weights().flat().ne(trained.pack.parameters.flat());
    const auto pieces = pieces_of(trained.pack.parameters, selection);
    EXPECT_EQ(moved[0].sum().item<int64_t>(), size_of(pieces)) << selection;
    for (const auto& piece : pieces)
      EXPECT_TRUE(moved.narrow(1, piece.begin, piece.end - piece.begin).all().item<bool>());
  }
}

TEST(Chains, AHeadIsItsRowsOfTheAttentionTensors) {
  const Trained trained;
  const auto& parameters = trained.pack.parameters;
  EXPECT_EQ(size_of(pieces_of(parameters, "L0H0")), size_of(pieces_of(parameters, "blocks.0.attn")) / 2);
  EXPECT_EQ(size_of(pieces_of(parameters, "L0H0, L0H1")), size_of(pieces_of(parameters, "blocks.0.attn")));
  EXPECT_EQ(size_of(pieces_of(parameters, "")), parameters.count());
  EXPECT_THROW(pieces_of(parameters, "L0H2"), Error);
  EXPECT_THROW(pieces_of(parameters, "blocks.0.nlp"), Error);
}

TEST(Chains, TheMeanOfTheMiniBatchesOfAnEpochIsTheWholeLoss) {
  Trained trained;
  const NetworkOn network = trained.network();
  trained.options.batch_size = 12;  // of 60 examples
  const Energy batches = network_energy(network, trained.pack.parameters, 1, 12, 0);
  Parameters moved = trained.pack.parameters.select(0);
  moved.flat().add_(at::ones_like(moved.flat()), 0.05);
  double mean = 0;
  for (int64_t step = 0; step < 5; ++step) mean += batches(moved, step)[0].item<double>() / 5;
  EXPECT_NEAR(mean, network_loss(network, moved), 1e-6);
  Parameters centre = trained.pack.parameters.select(0);
  EXPECT_NEAR(batches(centre, 3)[0].item<double>(), network_loss(network, centre), 1e-6) << "no noise at w0";
}

TEST(Chains, WhatASamplerCannotDoIsRefused) {
  Trained trained;
  trained.options.sampler.select("mala");
  trained.options.batch_size = 10;
  EXPECT_THROW(trained.chains(), Error);
  trained.options.batch_size = 61;
  EXPECT_THROW(trained.chains(), Error);
  trained.options.batch_size = 0;
  trained.options.burn_in = 0;
  trained.options.sampler.select("rmsprop_sgld");
  EXPECT_THROW(trained.chains(), Error);
}

TEST(LearningCoefficient, WhatCannotStandIsRefusedWithAReason) {
  const auto reason = [](const LearningCoefficient& found) {
    return found.refusals.empty() ? "" : found.refusals.front();
  };
  const Plan plan{.nbeta = 10, .localisation = 1};
  EXPECT_EQ(reason(estimated(quadratic({1, 2}), sgld(0.05), plan)), "");
  EXPECT_NE(reason(estimated(quadratic({1, 200}), sgld(0.05), plan)).find("finite"), std::string::npos);
  EXPECT_NE(reason(estimated(quadratic({1, 2}), sgld(1e-5), plan)).find("drifts"), std::string::npos);
  Toy saddle = quadratic({-0.05, -0.05, 0.01});  // localised, so that it has a density
  EXPECT_NE(reason(estimated(saddle, sgld(0.05), plan)).find("negative"), std::string::npos);
}

TEST(LearningCoefficient, ChainsThatLeaveTheFiniteNumbersAreCounted) {
  const Tensor energy = at::rand({4, 40}, at::kDouble);
  energy[2][30].fill_(NAN);
  const Trace trace{energy, at::ones_like(energy), at::ones_like(energy), at::zeros({4, 40}, at::kLong)};
  const auto found = learning_coefficient(trace, 10, 1, 5, 0);
  EXPECT_EQ(found.not_finite, 1);
  EXPECT_TRUE(std::isfinite(found.mean));
}

TEST(LearningCoefficient, ExamplesAreChosenBySetAndClass) {
  SamplingOptions options;
  const Tensor targets = at::tensor({0, 1, 2, 0, 1, 2}, at::kLong), train = at::tensor({0, 1, 3}, at::kLong),
               test = at::tensor({2, 4, 5}, at::kLong);
  const auto chosen = [&] { return sampled_examples(options, targets, train, test); };
  EXPECT_TRUE(chosen().equal(train));
  options.classes = {0};
  EXPECT_TRUE(chosen().equal(at::tensor({0, 3}, at::kLong)));
  options.examples = "all";
  options.classes = {1, 2};
  EXPECT_TRUE(chosen().equal(at::tensor({1, 2, 4, 5}, at::kLong)));
  options.examples = "test";
  options.classes = {0};
  EXPECT_THROW(chosen(), Error);
}

}  // namespace
}  // namespace logodds
