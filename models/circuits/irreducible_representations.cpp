#include "models/circuits/irreducible_representations.h"

#include <ATen/ATen.h>

#include "core/error.h"
#include "core/log_odds.h"

namespace logodds {

namespace {

const Group& group_of(const Observed& observed) {
  if (observed.group == nullptr) {
    throw Error("the classes of this task form no group that is known; tasks 'group' and 'modular_addition' have one");
  }
  return *observed.group;
}

auto irrep_modes(const Irreps& irreps, const Tensor& logits_BV, auto modes) {
  for (size_t i = 1; i < irreps.all.size(); ++i) {  // without the trivial one
    modes.labels.push_back(irreps.all[i].label);
    modes.first.push_back(irreps.first[i] - 1);
  }
  modes.first.push_back(irreps.first.back() - 1);
  modes.basis_VM = irreps.basis_GM.narrow(1, 1, irreps.first.back() - 1).to(logits_BV.options());
  modes.coefficients_BM = at::mm(centred(logits_BV), modes.basis_VM);
  return modes;
}

}  // namespace

IrreducibleRepresentations::IrreducibleRepresentations(const Group& group, const Tensor& logits_BV)
    : GroupModes(irrep_modes(group.irreps(), logits_BV, Modes())),
      irreps_(group.irreps().all.begin() + 1, group.irreps().all.end()) {}

IrreducibleRepresentations::IrreducibleRepresentations(const Options&, const Observed& observed)
    : IrreducibleRepresentations(group_of(observed), observed.logits_BV) {}

}  // namespace logodds
