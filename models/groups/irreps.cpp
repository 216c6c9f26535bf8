#include "models/groups/irreps.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/seeds.h"
#include "models/groups/group.h"

namespace logodds {

namespace {

/// Functions on a group that are constant on each set C = {conjugates of g and of g⁻¹}, and their convolution.
class ClassFunctions {
 public:
  explicit ClassFunctions(const Group& group) : class_G_(at::full({group.order()}, -1, at::kLong)) {
    std::vector<int64_t> representatives;
    for (int64_t g = 0; g < group.order(); ++g) {
      if (class_G_[g].item<int64_t>() >= 0) continue;
      const Tensor conjugates = group.table().index({group.table().select(1, g), group.inverses()});
      const auto number = static_cast<int64_t>(representatives.size());
      class_G_.index_fill_(0, conjugates, number).index_fill_(0, group.inverses().index({conjugates}), number);
      representatives.push_back(g);
    }
    const auto count = static_cast<int64_t>(representatives.size());
    size_C_ = at::bincount(class_G_, {}, count).to(at::kDouble);
    quotient_CG_ = group.table()
                       .index_select(0, group.inverses())
                       .index_select(1, at::tensor(representatives, at::kLong))
                       .t()
                       .contiguous();
  }

  int64_t count() const { return size_C_.size(0); }

  /// (f * h)(g) = Σ_x f(x) h(x⁻¹g), [G].
  Tensor product(const Tensor& f_G, const Tensor& h_G) const {
    return spread((f_G * h_G.index({quotient_CG_})).sum(1));
  }

  /// The common eigenvectors of all h ↦ f * h, as rows [C,G] of norm 1.
  Tensor eigenfunctions() const {
    constexpr int kDraws = 8;
    const Tensor root = size_C_.sqrt();
    auto generator = stream(0, "class sums");
    double best_gap = -1;
    Tensor best;
    for (int draw = 0; draw < kDraws; ++draw) {
      const Tensor f_G = spread(at::randn({count()}, generator, at::kDouble) / root);
      // In the orthonormal basis 1_C/√|C| the map is symmetric.
      const Tensor map = at::zeros({count(), count()}, at::kDouble)
                             .scatter_add(1, class_G_.index({quotient_CG_}), f_G.expand({count(), -1}));
      const auto [value, vector] = at::linalg_eigh(map * root.unsqueeze(1) / root.unsqueeze(0));
      const double gap = count() < 2 ? 1 : value.diff().min().item<double>() / value.abs().max().item<double>();
      if (gap > best_gap) best_gap = gap, best = vector;
    }
    return (best.t() / root).index_select(1, class_G_);
  }

 private:
  Tensor spread(const Tensor& f_C) const { return f_C.index_select(0, class_G_); }

  Tensor class_G_, size_C_;
  Tensor quotient_CG_;  ///< x⁻¹g for a g of each class
};

/// e_ρ of every irrep, [G] each.
std::vector<Tensor> idempotents(const Group& group) {
  const ClassFunctions functions(group);
  std::vector<Tensor> all;
  for (const Tensor& f : functions.eigenfunctions().unbind(0)) {
    Tensor e = f * f[group.unit()];  // Σ e² = e(1)
    for (int step = 0; step < 2; ++step) {
      const Tensor square = functions.product(e, e);
      e = 3 * square - 2 * functions.product(square, e);
    }
    all.push_back(e);
  }
  return all;
}

/// d from the number of matrix coefficients, which is d², or 2d² of a complex pair: no number is both.
Irrep irrep_of(const Group& group, const Tensor& e_G) {
  const auto n = static_cast<double>(group.order());
  const double rank = n * e_G[group.unit()].item<double>();
  const double real_dimension = std::round(std::sqrt(rank)), complex_dimension = std::round(std::sqrt(rank / 2));
  const bool complex = std::abs(real_dimension * real_dimension - rank) > 1e-4;
  const double d = complex ? complex_dimension : real_dimension;
  if (std::abs((complex ? 2 : 1) * d * d - rank) > 1e-4)
    throw Error("the irreps of this group could not be told apart numerically", ExitCode::internal);
  const Tensor character = e_G * (n / d);
  const double indicator = character.index({group.table().diagonal()}).sum().item<double>();  // Frobenius and Schur
  return {"", complex ? "complex" : indicator > 0 ? "real" : "quaternionic", static_cast<int64_t>(d), character};
}

bool goes_by(const IrrepName& name, const Tensor& character_G, int64_t unit) {
  const double at_unit = character_G[unit].item<double>();
  return std::ranges::all_of(name.ratios, [&](const std::pair<int64_t, double>& ratio) {
    return std::abs(character_G[ratio.first].item<double>() / at_unit - ratio.second) < 1e-6;
  });
}

/// By dimension, then by falling χ/χ(1), which are all 1 for the trivial irrep alone.
bool before(const Irrep& a, const Irrep& b) {
  if (a.dimension != b.dimension) return a.dimension < b.dimension;
  const Tensor difference = a.character_G / a.character_G.max() - b.character_G / b.character_G.max();
  const Tensor differs = difference.abs().gt(1e-6).nonzero();
  return differs.numel() > 0 && difference[differs[0][0]].item<double>() > 0;
}

std::vector<Irrep> named(const Group& group, std::vector<Irrep> irreps, const std::vector<IrrepName>& names) {
  std::ranges::sort(irreps, before);
  std::vector<Irrep> ordered;
  for (const auto& name : names) {
    const auto found =
        std::ranges::find_if(irreps, [&](const Irrep& i) { return goes_by(name, i.character_G, group.unit()); });
    if (found == irreps.end()) throw Error("no irrep goes by the name " + name.label, ExitCode::internal);
    found->label = name.label;
    ordered.push_back(*found);
    irreps.erase(found);
  }
  int64_t dimension = 0, number = 0;
  for (auto& irrep : irreps) {
    number = irrep.dimension == dimension ? number + 1 : 1;
    dimension = irrep.dimension;
    irrep.label = "ρ=" + std::to_string(dimension) + "." + std::to_string(number);
    ordered.push_back(irrep);
  }
  return ordered;
}

}  // namespace

Irreps real_irreps(const Group& group, const std::vector<IrrepName>& names) {
  std::vector<Irrep> irreps;
  for (const Tensor& e : idempotents(group)) irreps.push_back(irrep_of(group, e));
  Irreps result{named(group, std::move(irreps), names), {}, {0}};
  Tensor weights = at::zeros({group.order()}, at::kDouble);
  for (size_t i = 0; i < result.all.size(); ++i) {
    const Irrep& irrep = result.all[i];
    weights += irrep.character_G * (static_cast<double>(i * irrep.dimension) / static_cast<double>(group.order()));
    result.first.push_back(result.first.back() + (irrep.type == "complex" ? 2 : 1) * irrep.dimension * irrep.dimension);
  }
  const Tensor quotient_GG = group.table().index_select(1, group.inverses());
  const Tensor sum_GG = weights.index({quotient_GG});
  result.basis_GM = std::get<1>(at::linalg_eigh((sum_GG + sum_GG.t()) / 2));
  return result;
}

}  // namespace logodds
