#include "training/random_labels.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "core/seeds.h"

namespace logodds {

void RandomLabels::fields(Fields& fields) {
  fields.per_run({"random_labels", "share of the training examples with a wrong class, drawn evenly"}, fraction,
                 between(0, 1));
}

bool RandomLabels::any() const {
  return fraction.value > 0 || std::ranges::any_of(fraction.runs, [](double share) { return share > 0; });
}

Tensor RandomLabels::changed(const Tensor& classes_N, const Tensor& train_B, int64_t class_count, size_t run,
                             int64_t seed) const {
  const int64_t wrong = std::llround(fraction.at(run) * static_cast<double>(train_B.size(0)));
  if (wrong == 0) return classes_N;
  auto generator = stream(seed, "random labels");
  const at::TensorOptions whole = at::TensorOptions().dtype(at::kLong);
  const Tensor chosen = train_B.index_select(0, at::randperm(train_B.size(0), generator, whole).narrow(0, 0, wrong));
  const Tensor shift = at::randint(1, class_count, {wrong}, generator, whole);
  return classes_N.index_copy(0, chosen, (classes_N.index_select(0, chosen) + shift).remainder(class_count));
}

}  // namespace logodds
