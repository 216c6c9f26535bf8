#include "core/seeds.h"

#include <ATen/CPUGeneratorImpl.h>

namespace logodds {

namespace {

/// SplitMix64's finaliser (Steele, Lea and Flood 2014): a bijection that scatters neighbouring values.
uint64_t scatter(uint64_t x) {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

}  // namespace

at::Generator stream(int64_t seed, std::string_view purpose) {
  uint64_t state = scatter(static_cast<uint64_t>(seed));
  for (const char c : purpose) state = scatter(state ^ static_cast<unsigned char>(c));
  return at::make_generator<at::CPUGeneratorImpl>(state);
}

}  // namespace logodds
