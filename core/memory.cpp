#include "core/memory.h"

#ifdef __GLIBC__
#include <malloc.h>
#include <sys/mman.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#endif

namespace logodds {

namespace {

#ifdef __GLIBC__
/// Gets the heap that much room in huge pages. A page that is never written takes no memory.
void reserve_huge_pages() {
  constexpr size_t kPage = 2 << 20, kBlock = 31 << 20;
  std::array<void*, 8> blocks;
  for (void*& block : blocks) {
    block = std::malloc(kBlock);
    const auto begin = (reinterpret_cast<uintptr_t>(block) + kPage - 1) / kPage * kPage;
    madvise(reinterpret_cast<void*>(begin), kBlock - kPage, MADV_HUGEPAGE);  // advice: nothing is wrong where it fails
  }
  for (void* block : blocks) std::free(block);
}
#endif

}  // namespace

void keep_freed_memory() {
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, 32 << 20);  // the largest that glibc takes
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  reserve_huge_pages();
#endif
}

}  // namespace logodds
