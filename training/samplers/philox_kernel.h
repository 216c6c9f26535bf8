#pragma once

#include <cstdint>

// Random numbers that are functions of their place, on plain memory: no LibTorch here. A sampler that draws them needs
// no generator's state, so it resumes anywhere, and threads may share the work as they like.

namespace logodds {

/// Numbers of a page.
constexpr int64_t kNoisePage = 64;

/// Philox4x32-10 (Salmon, Moraes, Dror and Shaw 2011): block j = 0 … 15 of page `page` is the cipher of the counter
/// (16 page + j, step), each 64 bits, under `key`; its word w is out[16 w + j].
void random_words(uint64_t key, uint64_t step, int64_t page, uint32_t* out);

/// Standard normal numbers of pages [first, last), float32: pairs of random_words by Box and Muller, with 24 bits of
/// radius, so none is beyond 5.9. The same numbers, up to rounding, for every instruction set.
void standard_normals(uint64_t key, uint64_t step, int64_t first, int64_t last, float* out);

/// A number in (0, 1) that no page shares bits with.
double uniform_number(uint64_t key, uint64_t step);

}  // namespace logodds
