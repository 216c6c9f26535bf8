#include "core/finite.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdint>

namespace logodds {

namespace {

/// An exponent of ones is an infinity or a NaN. The comparison is one of whole numbers, so that compilers vectorise it.
template <class Bits, Bits exponent, class Number>
bool finite(const Number* numbers, int64_t count) {
  constexpr int64_t kBlock = 4096;
  for (int64_t begin = 0; begin < count; begin += kBlock) {
    Bits found = 0;
    const int64_t end = std::min(begin + kBlock, count);
    for (int64_t i = begin; i < end; ++i) {
      found |= static_cast<Bits>((std::bit_cast<Bits>(numbers[i]) & exponent) == exponent);
    }
    if (found != 0) return false;
  }
  return true;
}

template <class Bits, Bits exponent, class Number>
bool finite_on_all_threads(const Tensor& tensor) {
  constexpr int64_t kGrain = 1 << 15;
  const Number* numbers = tensor.const_data_ptr<Number>();
  std::atomic<bool> good = true;
  at::parallel_for(0, tensor.numel(), kGrain, [&](int64_t begin, int64_t end) {
    if (!finite<Bits, exponent>(numbers + begin, end - begin)) good = false;
  });
  return good;
}

}  // namespace

bool all_finite(const Tensor& tensor) {
  if (tensor.scalar_type() == at::kFloat) return finite_on_all_threads<uint32_t, 0x7f800000u, float>(tensor);
  return finite_on_all_threads<uint64_t, 0x7ff0000000000000u, double>(tensor);
}

}  // namespace logodds
