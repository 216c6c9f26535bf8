#include "models/ops/batched.h"

#include <ATen/ATen.h>

namespace logodds {

Tensor lookup(const Tensor& table, const Tensor& index_RB) {
  const int64_t runs = table.size(0), rows = table.size(1);
  std::vector<int64_t> shape{runs, index_RB.size(1)};
  shape.insert(shape.end(), table.sizes().begin() + 2, table.sizes().end());
  Tensor flat_index = index_RB;
  if (runs > 1) {
    flat_index = index_RB + at::arange(runs, index_RB.options()).mul_(rows).unsqueeze(1);
  }
  // at::embedding, because its backward is parallel and sums each row's samples in their order: the same bits for any
  // number of threads.
  return at::embedding(table.reshape({runs * rows, -1}), flat_index.flatten()).view(shape);
}

Tensor linear_per_run(const Tensor& x, const Tensor& w_RIO, const Tensor& bias_RO) {
  std::vector<int64_t> shape = x.sizes().vec();
  shape.back() = w_RIO.size(2);
  const Tensor rows = x.reshape({x.size(0), -1, x.size(-1)});
  const Tensor product = bias_RO.defined() ? at::baddbmm(bias_RO.unsqueeze(1), rows, w_RIO) : at::bmm(rows, w_RIO);
  return product.view(shape);
}

}  // namespace logodds
