#include "training/hooks/softmax_collapse.h"

#include <ATen/ATen.h>

#include <nlohmann/json.hpp>

#include "core/plain_softmax.h"

namespace logodds {

void SoftmaxCollapse::Options::fields(Fields& fields) {
  fields.integer({"every_steps", "steps between observations"}, every_steps, at_least(1));
}

void SoftmaxCollapse::observe(const Snapshot& snapshot, Row& row) {
  const Tensor logits = snapshot.logits_NV.index_select(0, snapshot.train_B);
  const Tensor targets = snapshot.targets_N.index_select(0, snapshot.train_B);
  const auto share = [](const Tensor& those) { return those.to(at::kDouble).mean().item<double>(); };
  for (const auto& arithmetic : arithmetic_names()) {
    const PlainSoftmax result = plain_softmax(arithmetic, logits, targets);
    row["softmax_collapse.collapsed_" + arithmetic] = share(result.sum == 1);
    row["softmax_collapse.zero_terms_" + arithmetic] = share(result.loss == 0);
  }
}

}  // namespace logodds
