#include "models/groups/group.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <map>

#include "core/error.h"
#include "models/circuits/irreducible_representations.h"
#include "models/circuits/measures/hidden_modes.h"
#include "models/circuits/output_frequency.h"
#include "tests/models/circuits/networks.h"

namespace logodds {
namespace {

Tensor table(const std::vector<int64_t>& entries, int64_t n) { return at::tensor(entries, at::kLong).view({n, n}); }

/// The quaternions ±1, ±i, ±j, ±k, in the order 1 i j k -1 -i -j -k.
Tensor quaternions() {
  const int64_t product[4][4] = {{0, 1, 2, 3}, {1, 4, 3, 6}, {2, 7, 4, 1}, {3, 2, 5, 4}};
  std::vector<int64_t> entries;
  for (int64_t a = 0; a < 8; ++a) {
    for (int64_t b = 0; b < 8; ++b) entries.push_back((product[a % 4][b % 4] + (a / 4 + b / 4) * 4) % 8);
  }
  return table(entries, 8);
}

/// The even ones among the permutations of a symmetric group, as a table without names.
Tensor alternating(const Group& symmetric) {
  const auto& irreps = symmetric.irreps().all;
  const Tensor even = irreps.back().character_G.gt(0).nonzero().squeeze(1);  // the last irrep is the sign
  const Tensor sub = symmetric.table().index_select(0, even).index_select(1, even);
  return at::searchsorted(even, sub);
}

std::vector<std::shared_ptr<const Group>> groups() {
  std::vector<std::shared_ptr<const Group>> all;
  for (const char* name : {"S2", "S3", "S4", "S5", "D3", "D4", "D7", "D12", "Z2", "Z31", "Z12", "Z4xZ6", "Z3xZ5xZ2"})
    all.push_back(named_group(name));
  all.push_back(std::make_shared<Group>(quaternions()));
  all.push_back(std::make_shared<Group>(alternating(*named_group("S5"))));
  return all;
}

Tensor random_logits(int64_t samples, int64_t classes) {
  auto generator = stream(4, "logits");
  return at::randn({samples, classes}, generator, at::kDouble) * 3 + 1;
}

std::string refusal(const Tensor& table_GG) {
  try {
    Group(table_GG, "t.csv");
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Irreps, CharactersAreOrthogonalAndAsManyAsTheRealClasses) {
  for (const auto& group : groups()) {
    const auto& irreps = group->irreps().all;
    const auto n = static_cast<double>(group->order());
    double squares = 0;
    EXPECT_LT((irreps[0].character_G - 1).abs().max().item<double>(), 1e-12);  // the trivial one is first
    for (size_t i = 0; i < irreps.size(); ++i) {
      for (size_t j = 0; j <= i; ++j) {
        const double product = (irreps[i].character_G * irreps[j].character_G).sum().item<double>() / n;
        EXPECT_NEAR(product,
                    i != j                        ? 0
                    : irreps[i].type == "complex" ? 2
                                                  : 1,
                    1e-12)
            << irreps[i].label << " " << irreps[j].label;
      }
      squares += static_cast<double>(irreps[i].dimension * irreps[i].dimension) * (irreps[i].type == "complex" ? 2 : 1);
    }
    EXPECT_EQ(squares, n);
  }
}

TEST(Irreps, OfS5HaveTheCharactersOfTheTextbook) {
  const auto group = named_group("S5");
  // Fulton and Harris, Representation Theory, § 3.1, at 1, (12), (123), (1234), (12345), (12)(34), (12)(345).
  const std::vector<std::string> elements{"12345", "21345", "23145", "23415", "23451", "21435", "21453"};
  const std::map<std::string, std::vector<double>> expected{
      {"ρ=5", {1, 1, 1, 1, 1, 1, 1}},     {"ρ=1+1+1+1+1", {1, -1, 1, -1, 1, 1, -1}},
      {"ρ=4+1", {4, 2, 1, 0, -1, 0, -1}}, {"ρ=2+1+1+1", {4, -2, 1, 0, -1, 0, 1}},
      {"ρ=3+2", {5, 1, -1, -1, 0, 1, 1}}, {"ρ=2+2+1", {5, -1, -1, 1, 0, 1, -1}},
      {"ρ=3+1+1", {6, 0, 0, 0, 1, -2, 0}}};
  ASSERT_EQ(group->irreps().all.size(), expected.size());
  for (const auto& irrep : group->irreps().all) {
    for (size_t i = 0; i < elements.size(); ++i) {
      int64_t number = 0;
      while (group->element(number) != elements[i]) ++number;
      EXPECT_NEAR(irrep.character_G[number].item<double>(), expected.at(irrep.label)[i], 1e-12)
          << irrep.label << " at " << elements[i];
    }
  }
}

TEST(Irreps, TheirTypesAreRealComplexAndQuaternionic) {
  const auto types = [](const Group& group) {
    std::string all;
    for (const auto& irrep : group.irreps().all) all += irrep.type.substr(0, 1) + std::to_string(irrep.dimension) + " ";
    return all;
  };
  EXPECT_EQ(types(Group(quaternions())), "r1 r1 r1 r1 q2 ");
  EXPECT_EQ(types(*named_group("Z5")), "r1 c1 c1 ");
  EXPECT_EQ(types(*named_group("D4")), "r1 r1 r1 r1 r2 ");
  EXPECT_EQ(types(Group(alternating(*named_group("S4")))), "r1 c1 r3 ");
}

TEST(Irreps, OfA5AreTellApartByTheGoldenRatio) {
  const Group group(alternating(*named_group("S5")));
  const auto& irreps = group.irreps().all;
  ASSERT_EQ(irreps.size(), 5U);
  EXPECT_EQ(irreps[1].label, "ρ=3.1");
  const double golden = (1 + std::sqrt(5)) / 2;
  EXPECT_NEAR(irreps[1].character_G.slice(0, 1).max().item<double>(), golden, 1e-12);
  EXPECT_NEAR(irreps[2].character_G.slice(0, 1).min().item<double>(), -1, 1e-12);
}

TEST(Irreps, OfNamedGroupsHaveNames) {
  const auto labels = [](const char* name) {
    std::string all;
    const auto group = named_group(name);
    for (const auto& irrep : group->irreps().all) all += irrep.label + " ";
    return all;
  };
  EXPECT_EQ(labels("S3"), "ρ=3 ρ=2+1 ρ=1+1+1 ");
  EXPECT_EQ(labels("D6"), "ρ=A1 ρ=A2 ρ=B1 ρ=B2 ρ=E1 ρ=E2 ");
  EXPECT_EQ(labels("Z5"), "κ=0 κ=1 κ=2 ");
  EXPECT_EQ(labels("Z2xZ3"), "κ=(0 0) κ=(0 1) κ=(1 0) κ=(1 1) ");
}

TEST(IrreducibleRepresentations, ProjectionsSumToTheIdentityAndAreIdempotent) {
  for (const auto& group : groups()) {
    const Tensor logits = random_logits(7, group->order());
    const IrreducibleRepresentations circuits(*group, logits);
    EXPECT_LE(completeness_error(circuits, logits), 1e-12);
    for (int64_t p = 0; p < circuits.size(); ++p) {
      const Tensor part = circuits.part(p);
      const IrreducibleRepresentations again(*group, part);
      EXPECT_LT((again.part(p) - part).abs().max().item<double>(), 1e-11) << circuits.irrep(p).label;
      EXPECT_NEAR(energy_shares(again, part)[p].item<double>(), 1, 1e-12);
    }
  }
}

TEST(IrreducibleRepresentations, AreTheProjectionsByCharacters) {
  for (const auto& group : groups()) {
    const int64_t n = group->order();
    const Tensor logits = random_logits(3, n);
    const IrreducibleRepresentations circuits(*group, logits);
    for (int64_t p = 0; p < circuits.size(); ++p) {
      Tensor expected = at::zeros_like(logits);  // (d/|G|) Σ_h χ(h) f(h⁻¹c), term by term
      for (int64_t h = 0; h < n; ++h) {
        const int64_t inverse = group->inverses()[h].item<int64_t>();
        expected += logits.index_select(1, group->table()[inverse]) * circuits.irrep(p).character_G[h];
      }
      expected *= static_cast<double>(circuits.irrep(p).dimension) / static_cast<double>(n);
      EXPECT_LT((circuits.part(p) - expected).abs().max().item<double>(), 1e-11) << circuits.irrep(p).label;
    }
  }
}

TEST(IrreducibleRepresentations, AnAnalyticNetworkOfOneIrrepHasAllItsEnergyThere) {
  const auto group = named_group("S4");
  const Tensor targets = group->table().flatten();
  for (const auto& irrep : group->irreps().all) {
    if (&irrep == &group->irreps().all.front()) continue;
    const Tensor quotient = group->table().index_select(1, group->inverses());  // [y,c]: y c⁻¹
    const Tensor logits = irrep.character_G.index({quotient}).index_select(0, targets) * 2.5;
    const IrreducibleRepresentations circuits(*group, logits);
    const int64_t p = circuits.find({irrep.label}).front();
    EXPECT_NEAR(energy_shares(circuits, logits)[p].item<double>(), 1, 1e-12);
    const Tensor coefficients = circuits.template_coefficients(targets);
    EXPECT_NEAR(coefficients[p].item<double>(), 2.5 * static_cast<double>(irrep.dimension), 1e-11);
    EXPECT_NEAR(circuits.template_fve(coefficients)[p].item<double>(), 1, 1e-12);
    EXPECT_LT((circuits.templates({p}, coefficients, targets) - logits).abs().max().item<double>(), 1e-11);
  }
}

TEST(IrreducibleRepresentations, OfCyclicGroupsAreTheOutputFrequencies) {
  for (const int64_t p : {12, 31, 113}) {
    const auto group = named_group("Z" + std::to_string(p));
    const Tensor logits = random_logits(40, p), targets = at::arange(40).remainder(p);
    const IrreducibleRepresentations irreps(*group, logits);
    const OutputFrequency frequencies(logits);
    ASSERT_EQ(irreps.labels(), frequencies.labels());
    for (int64_t k = 0; k < irreps.size(); ++k)
      EXPECT_LT((irreps.part(k) - frequencies.part(k)).abs().max().item<double>(), 1e-12) << irreps.labels()[k];
    const Tensor coefficients = irreps.template_coefficients(targets);
    EXPECT_TRUE(at::allclose(coefficients, frequencies.template_coefficients(targets), 0, 1e-12));
    EXPECT_TRUE(at::allclose(irreps.template_fve(coefficients), frequencies.template_fve(coefficients), 0, 1e-12));
    EXPECT_TRUE(at::allclose(irreps.templates({0, 2}, coefficients, targets),
                             frequencies.templates({0, 2}, coefficients, targets), 0, 1e-12));
  }
}

TEST(IrreducibleRepresentations, NeedAGroup) {
  Network network = random_network(small_transformer(5, 1, true, true, 1), 5);
  network.group = nullptr;
  EXPECT_THROW(network.circuits("irreducible_representations"), Error);
}

TEST(HiddenModes, WithoutAllPartsOnlyTheMeanOverTheAnswersRemainsOfWhatAnAnswerIsTold) {
  const int64_t p = 7;
  const Network network = random_network(std::make_unique<Mlp>(Mlp::Options{.hidden = {9}}, InputShape{p, 2, p}), p);
  const IrreducibleRepresentations circuits(*named_group("Z7"), network.logits);
  const Tensor without = without_hidden_modes(circuits, circuits.all_but({}), network.observed(), network.targets);
  // Averaged over the inputs of each answer, the logits that are left are the same for all answers.
  const Tensor mean = at::zeros({p, p}, at::kDouble).index_add(0, network.targets, without) / static_cast<double>(p);
  EXPECT_LT((mean - mean.mean(0, true)).abs().max().item<double>(), 1e-12);
  EXPECT_GT((without - without.mean(0, true)).abs().max().item<double>(), 0.1);
  EXPECT_TRUE(without_hidden_modes(circuits, {}, network.observed(), network.targets).equal(network.logits));
}

TEST(Group, ATableThatIsNoneIsRefusedWithLineAndElements) {
  EXPECT_EQ(refusal(table({0, 1, 1, 2}, 2)), "t.csv:2: is not closed: 1 ∘ 1 is 2, and the elements are 0 to 1");
  // A loop: a Latin square with a unit and inverses.
  const Tensor loop = table({0, 1, 2, 3, 4, 1, 0, 3, 4, 2, 2, 4, 0, 1, 3, 3, 2, 4, 0, 1, 4, 3, 1, 2, 0}, 5);
  EXPECT_EQ(refusal(loop), "t.csv:2: is not associative: (1 ∘ 1) ∘ 2 = 2, but 1 ∘ (1 ∘ 2) = 4");
  EXPECT_EQ(refusal(table({0, 0, 1, 1}, 2)), "t.csv:1: there is no unit: 0 comes nearest, but 0 ∘ 1 = 0");
  EXPECT_EQ(refusal(table({0, 1, 1, 1}, 2)),
            "t.csv:2: 1 has no inverse: there is no b with 1 ∘ b = b ∘ 1 = 0, the unit");
  EXPECT_EQ(refusal(quaternions()), "");
}

TEST(Group, NamedGroupsAreGroups) {
  for (const auto& group : groups()) EXPECT_EQ(refusal(group->table()), "");
}

TEST(Group, NamesThatAreNoGroupAreRefused) {
  for (const char* name : {"S6", "S1", "D2", "D257", "Z1", "Z513", "Z32xZ17", "Z4x", "Z4xS3", "Q8", ""})
    EXPECT_THROW(named_group(name), Error) << name;
  EXPECT_EQ(named_group("Z32xZ16")->order(), 512);
  EXPECT_TRUE(named_group("Z6")->is_addition());
  EXPECT_FALSE(named_group("Z2xZ3")->is_addition());
}

TEST(Group, PermutationsAreComposedFromTheRight) {
  const auto group = named_group("S3");
  const int64_t a = 1, b = 2;  // 132, 213: a(b(1)) = a(2) = 3
  EXPECT_EQ(group->element(group->table()[a][b].item<int64_t>()), "312");
}

}  // namespace
}  // namespace logodds
