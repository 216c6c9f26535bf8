#include "models/circuits/patch_shapley.h"

#include <ATen/ATen.h>

#include <bit>
#include <cmath>

#include "core/error.h"
#include "models/circuits/feature_groups.h"

namespace logodds {

void PatchShapley::Options::fields(Fields& fields) {
  fields.integer({"rows", "of patches; features that are no image are cut into rows × columns runs"}, rows,
                 between(1, 10));
  fields.integer({"columns", "of patches; at most 10 in all"}, columns, between(1, 10));
  fields.integer({"backgrounds", "number of images whose patches stand for a patch that is not there"}, backgrounds,
                 at_least(1));
}

namespace {

constexpr int64_t kMostGroups = 10, kMostEvaluations = 4'000'000, kMostRows = 4096;

void refuse_expense(int64_t samples, int64_t groups, int64_t backgrounds) {
  if (groups > kMostGroups) {
    throw Error(std::to_string(groups) + " patches have too many subsets: at most " + std::to_string(kMostGroups));
  }
  const int64_t each = (int64_t{1} << groups) * backgrounds;
  if (samples * each > kMostEvaluations) {
    throw Error(std::to_string(samples) + " examples take " + std::to_string(samples * each) +
                " evaluations of the network, and at most " + std::to_string(kMostEvaluations) +
                " are made; take at most " + std::to_string(kMostEvaluations / each) +
                " examples (inspect --examples), fewer patches or fewer backgrounds");
  }
}

/// v(S) of the subset whose features `mask_F` keeps, [B,V].
Tensor value_of(const Observed& observed, const Tensor& background_KF, const Tensor& mask_F) {
  const int64_t backgrounds = background_KF.size(0);
  std::vector<Tensor> values;
  for (const Tensor& x : observed.inputs_BT.split(std::max<int64_t>(1, kMostRows / backgrounds))) {
    const Tensor mixed = (x * mask_F).unsqueeze(1) + (background_KF * (1 - mask_F)).unsqueeze(0);
    const Tensor logits = observed.model.logits(observed.parameters, mixed.flatten(0, 1).unsqueeze(0))[0];
    values.push_back(logits.view({x.size(0), backgrounds, -1}).mean(1));
  }
  return at::cat(values);
}

/// What v(S) counts for in the Shapley value of a group that is in S, or is not.
double weight(int64_t groups, int64_t size, bool inside) {
  const auto factorial = [](int64_t n) { return std::tgamma(static_cast<double>(n + 1)); };
  return inside ? factorial(size - 1) * factorial(groups - size) / factorial(groups)
                : -factorial(size) * factorial(groups - size - 1) / factorial(groups);
}

}  // namespace

PatchShapley::PatchShapley(const Options& options, const Observed& observed) : options_(options) {
  if (!observed.inputs_BT.is_floating_point())
    throw Error("the inputs are tokens, and no part of a token can be left out");
  const Tensor& all = observed.reference_KF.defined() ? observed.reference_KF : observed.inputs_BT;
  const int64_t backgrounds = std::min(options.backgrounds, all.size(0));
  const Tensor background_KF = all.index_select(
      0, (at::arange(backgrounds, at::kLong) * all.size(0)).div(backgrounds, "floor").to(all.device()));
  auto [labels, masks] =
      feature_groups(observed.model.image(), observed.inputs_BT.size(1), options.rows, options.columns);
  const Tensor mask_GF = masks.to(observed.inputs_BT.options());
  const int64_t groups = mask_GF.size(0);
  refuse_expense(observed.inputs_BT.size(0), groups, backgrounds);
  std::vector<int64_t> shape{groups + 1, observed.logits_BV.size(0), observed.logits_BV.size(1)};
  const Tensor parts = at::zeros(shape, observed.logits_BV.options());
  for (uint64_t subset = 0; subset < uint64_t{1} << groups; ++subset) {
    Tensor mask_F = at::zeros({mask_GF.size(1)}, mask_GF.options());
    for (int64_t g = 0; g < groups; ++g) {
      if ((subset >> g & 1) != 0) mask_F = mask_F + mask_GF[g];
    }
    const Tensor value = value_of(observed, background_KF, mask_F);
    if (subset == 0) parts[groups].copy_(value);
    for (int64_t g = 0; g < groups; ++g)
      parts[g].add_(value, weight(groups, std::popcount(subset), (subset >> g & 1) != 0));
  }
  labels.emplace_back("background");
  store(std::move(labels), parts);
}

}  // namespace logodds
