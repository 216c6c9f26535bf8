// Compiled once per instruction set by Highway, which picks one at run time.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "training/samplers/philox_kernel.cpp"
// A page is cut into whole vectors, which must be of a known size.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
// Highway wants this order.
// clang-format off
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include <hwy/contrib/math/math-inl.h>
// clang-format on

#include "training/samplers/philox_kernel.h"

HWY_BEFORE_NAMESPACE();
namespace logodds {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using Words = hn::CappedTag<uint32_t, 16>;  // a vector of blocks
using Reals = hn::RebindToFloat<Words>;
using WordsV = hn::Vec<Words>;
using RealsV = hn::Vec<Reals>;

/// High halves of the products of 32 bits.
HWY_INLINE WordsV high_product(WordsV a, WordsV b) {
  const Words d;
#if HWY_TARGET == HWY_SCALAR
  return hn::Set(d, static_cast<uint32_t>(uint64_t{hn::GetLane(a)} * hn::GetLane(b) >> 32));
#else
  const hn::RepartitionToWide<Words> wide;
  const auto even = hn::MulEven(a, b);
  const auto odd = hn::MulEven(hn::BitCast(d, hn::ShiftRight<32>(hn::BitCast(wide, a))),
                               hn::BitCast(d, hn::ShiftRight<32>(hn::BitCast(wide, b))));
  return hn::OddEven(hn::BitCast(d, odd), hn::BitCast(d, hn::ShiftRight<32>(even)));
#endif
}

/// The four words of as many blocks as a vector holds, from block `first` on.
struct Block {
  WordsV w[4];
};
HWY_INLINE Block cipher(uint64_t key, uint64_t step, uint64_t first) {
  const Words d;
  const auto word = [&](uint64_t value) { return hn::Set(d, static_cast<uint32_t>(value)); };
  // Pages begin at multiples of 16 blocks, so the low word does not overflow within a vector.
  Block b{{hn::Iota(d, static_cast<uint32_t>(first)), word(first >> 32), word(step), word(step >> 32)}};
  const auto m0 = word(0xD2511F53), m1 = word(0xCD9E8D57);
  uint32_t k0 = static_cast<uint32_t>(key), k1 = static_cast<uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    const auto high0 = high_product(b.w[0], m0), low0 = hn::Mul(b.w[0], m0);
    const auto high1 = high_product(b.w[2], m1), low1 = hn::Mul(b.w[2], m1);
    b.w[0] = hn::Xor(hn::Xor(high1, b.w[1]), hn::Set(d, k0));
    b.w[1] = low1;
    b.w[2] = hn::Xor(hn::Xor(high0, b.w[3]), hn::Set(d, k1));
    b.w[3] = low0;
    k0 += 0x9E3779B9U;
    k1 += 0xBB67AE85U;
  }
  return b;
}

/// The upper or lower 24 bits as a number in (0, 1).
HWY_INLINE RealsV fraction(WordsV bits24) {
  const Reals d;
  const auto whole = hn::ConvertTo(d, hn::BitCast(hn::RebindToSigned<Words>(), bits24));
  return hn::Mul(hn::Add(whole, hn::Set(d, 0.5f)), hn::Set(d, 0x1p-24f));
}

/// A point of the unit circle from 32 bits: an angle within ±π/4, and one bit each to turn it about.
HWY_INLINE void on_circle(WordsV bits, RealsV& x, RealsV& y) {
  const Reals d;
  const Words words;
  const auto part = fraction(hn::And(bits, hn::Set(words, 0xFFFFFFU)));
  const auto angle = hn::Mul(hn::Sub(part, hn::Set(d, 0.5f)), hn::Set(d, 1.57079633f));
  const auto square = hn::Mul(angle, angle);
  const auto sine_over =
      hn::MulAdd(hn::MulAdd(hn::MulAdd(hn::MulAdd(hn::Set(d, 2.7557319e-6f), square, hn::Set(d, -1.9841270e-4f)),
                                       square, hn::Set(d, 8.3333333e-3f)),
                            square, hn::Set(d, -0.16666667f)),
                 square, hn::Set(d, 1.0f));
  const auto sine = hn::Mul(angle, sine_over);
  const auto cosine =
      hn::MulAdd(hn::MulAdd(hn::MulAdd(hn::MulAdd(hn::Set(d, 2.4801587e-5f), square, hn::Set(d, -1.3888889e-3f)),
                                       square, hn::Set(d, 4.1666667e-2f)),
                            square, hn::Set(d, -0.5f)),
                 square, hn::Set(d, 1.0f));
  const auto sign = hn::BitCast(d, hn::And(hn::ShiftLeft<1>(bits), hn::Set(words, 0x80000000U)));
  const auto turned = hn::Xor(cosine, sign);
  const auto swap =
      hn::MaskFromVec(hn::BitCast(d, hn::BroadcastSignBit(hn::BitCast(hn::RebindToSigned<Words>(), bits))));
  x = hn::IfThenElse(swap, sine, turned);
  y = hn::IfThenElse(swap, turned, sine);
}

HWY_INLINE void normal_pair(WordsV radius_bits, WordsV angle_bits, float* first, float* second) {
  const Reals d;
  const auto log = hn::Log(d, fraction(hn::ShiftRight<8>(radius_bits)));
  const auto radius = hn::Sqrt(hn::Mul(hn::Set(d, -2.0f), log));
  RealsV x, y;
  on_circle(angle_bits, x, y);
  hn::StoreU(hn::Mul(radius, x), d, first);
  hn::StoreU(hn::Mul(radius, y), d, second);
}

constexpr int64_t kBlocks = kNoisePage / 4;  // of a page

/// The counter at block `j` of a page: all 64 bits are used, so it is no int64_t.
HWY_INLINE uint64_t counter(int64_t page, int64_t j) {
  return static_cast<uint64_t>(page) * static_cast<uint64_t>(kBlocks) + static_cast<uint64_t>(j);
}

void words(uint64_t key, uint64_t step, int64_t page, uint32_t* out) {
  const Words d;
  for (int64_t j = 0; j < kBlocks; j += static_cast<int64_t>(hn::Lanes(d))) {
    const Block b = cipher(key, step, counter(page, j));
    for (int w = 0; w < 4; ++w) hn::StoreU(b.w[w], d, out + w * kBlocks + j);
  }
}

void normals(uint64_t key, uint64_t step, int64_t first, int64_t last, float* out) {
  const Words d;
  for (int64_t page = first; page < last; ++page, out += kNoisePage) {
    for (int64_t j = 0; j < kBlocks; j += static_cast<int64_t>(hn::Lanes(d))) {
      const Block b = cipher(key, step, counter(page, j));
      normal_pair(b.w[0], b.w[1], out + j, out + kBlocks + j);
      normal_pair(b.w[2], b.w[3], out + 2 * kBlocks + j, out + 3 * kBlocks + j);
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace logodds
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace logodds {

HWY_EXPORT(words);
HWY_EXPORT(normals);

void random_words(uint64_t key, uint64_t step, int64_t page, uint32_t* out) {
  HWY_DYNAMIC_DISPATCH(words)(key, step, page, out);
}

void standard_normals(uint64_t key, uint64_t step, int64_t first, int64_t last, float* out) {
  HWY_DYNAMIC_DISPATCH(normals)(key, step, first, last, out);
}

double uniform_number(uint64_t key, uint64_t step) {
  uint32_t page[kNoisePage];
  random_words(key, step, int64_t{1} << 56, page);  // beyond any buffer
  const uint64_t bits = uint64_t{page[0]} << 21 ^ page[kNoisePage / 4];
  return (static_cast<double>(bits & ((uint64_t{1} << 53) - 1)) + 0.5) * 0x1p-53;
}

}  // namespace logodds
#endif
