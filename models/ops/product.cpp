#include "models/ops/product.h"

#include <ATen/ATen.h>
#include <ATen/record_function.h>

#include <algorithm>

#include "models/ops/row_mix_kernel.h"
#include "models/ops/tile_kernel.h"

namespace logodds {

namespace {

/// The kernels write whole vectors, so that the result's rows must consist of them.
bool kernels_take(const Tensor& result, const Tensor& a, const Tensor& b) {
  const auto type = result.scalar_type();
  return result.is_cpu() && (type == at::kFloat || type == at::kDouble) && a.scalar_type() == type &&
         b.scalar_type() == type && result.size(2) % kColumnAlign == 0 && result.stride(2) == 1 &&
         (a.stride(2) == 1 || (a.stride(1) == 1 && b.stride(2) == 1));
}

constexpr int64_t kRows = 24;  ///< a multiple of every kernel's block of rows

template <class T>
void by_kernels(const Tensor& result, const Tensor& a, const Tensor& b, bool add) {
  const TileKernels<T>& kernels = tile_kernels<T>();
  const int64_t N = result.size(1), M = result.size(2), K = a.size(2);
  const bool transposed = a.stride(2) != 1;
  const Tensor packed = transposed ? Tensor() : at::empty({kernels.packed_size(K, M)}, result.options());
  for (int64_t run = 0; run < result.size(0); ++run) {
    const T *left = a.const_data_ptr<T>() + run * a.stride(0), *right = b.const_data_ptr<T>() + run * b.stride(0);
    T* to = result.mutable_data_ptr<T>() + run * result.stride(0);
    if (transposed) {
      kernels.multiply_transposed(N, M, K, left, a.stride(2), right, b.stride(1), to, result.stride(1), add);
    } else {
      kernels.pack(right, K, M, b.stride(1), b.stride(2), packed.mutable_data_ptr<T>());
      // A few rows at a time, so that the result is written in its order.
      for (int64_t row = 0; row < N; row += kRows) {
        kernels.multiply(std::min(kRows, N - row), M, K, left + row * a.stride(1), a.stride(1),
                         packed.const_data_ptr<T>(), to + row * result.stride(1), result.stride(1),
                         {.accumulate = add});
      }
    }
  }
}

}  // namespace

void put_product(const Tensor& result, const Tensor& a, const Tensor& b, bool add) {
  if (!kernels_take(result, a, b)) {  // then LibTorch's product is recorded
    add ? void(result.baddbmm_(a, b)) : void(result.copy_(at::bmm(a, b)));
    return;
  }
  RECORD_FUNCTION("logodds::product", (std::vector<c10::IValue>{a, b}));
  result.scalar_type() == at::kFloat ? by_kernels<float>(result, a, b, add) : by_kernels<double>(result, a, b, add);
}

Tensor product(const Tensor& a, const Tensor& b) {
  Tensor result = at::empty({a.size(0), a.size(1), b.size(2)}, a.options());
  put_product(result, a, b);
  return result;
}

}  // namespace logodds
