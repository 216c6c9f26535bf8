#include "models/ops/batched.h"

#include <ATen/ATen.h>

namespace logodds {

Tensor lookup(const Tensor& table, const Tensor& index_RB) {
  const bool shared = table.stride(0) == 0;  // then it stands in memory once
  const int64_t tables = shared ? 1 : table.size(0), rows = table.size(1);
  std::vector<int64_t> shape{table.size(0), index_RB.size(1)};
  shape.insert(shape.end(), table.sizes().begin() + 2, table.sizes().end());
  Tensor flat_index = index_RB;
  if (tables > 1) {
    flat_index = index_RB + at::arange(tables, index_RB.options()).mul_(rows).unsqueeze(1);
  }
  // at::embedding, because its backward is parallel and sums each row's samples in their order: the same bits for any
  // number of threads.
  return at::embedding(table.narrow(0, 0, tables).reshape({tables * rows, -1}), flat_index.flatten()).view(shape);
}

Tensor matmul_per_run(const Tensor& a, const Tensor& b, const Tensor& c) {
  if (a.size(0) == 1) {
    const Tensor one_a = a.squeeze(0), one_b = b.squeeze(0);
    return (c.defined() ? at::addmm(c.squeeze(0), one_a, one_b) : at::mm(one_a, one_b)).unsqueeze(0);
  }
  return c.defined() ? at::baddbmm(c, a, b) : at::bmm(a, b);
}

Tensor linear_per_run(const Tensor& x, const Tensor& w_RIO, const Tensor& bias_RO) {
  std::vector<int64_t> shape = x.sizes().vec();
  shape.back() = w_RIO.size(2);
  const Tensor rows = x.reshape({x.size(0), -1, x.size(-1)});
  return matmul_per_run(rows, w_RIO, bias_RO.defined() ? bias_RO.unsqueeze(1) : bias_RO).view(shape);
}

}  // namespace logodds
