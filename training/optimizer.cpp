#include "training/optimizer.h"

#include <ATen/ATen.h>

namespace logodds {

Tensor per_run(const PerRun<double>& values, const Parameters& parameters) {
  return at::tensor(values.all(static_cast<size_t>(parameters.runs())), at::kDouble).to(parameters.flat().device());
}

}  // namespace logodds
