// Counts the heap: through AddressSanitizer's hooks, or by standing before glibc's own functions.

#include "tests/fuzz/heap.h"

#include <atomic>
#include <cstdint>

namespace {

std::atomic<int64_t> in_use{0}, most{0};

void count(int64_t bytes) {
  const int64_t now = in_use.fetch_add(bytes, std::memory_order_relaxed) + bytes;
  if (now > most.load(std::memory_order_relaxed)) most.store(now, std::memory_order_relaxed);
}

}  // namespace

#ifdef __SANITIZE_ADDRESS__

// Of sanitizer/allocator_interface.h, which GCC does not install.
extern "C" {
int __sanitizer_install_malloc_and_free_hooks(void (*)(const volatile void*, size_t), void (*)(const volatile void*));
size_t __sanitizer_get_allocated_size(const volatile void*);
}

void logodds::watch_heap() {
  static const int installed = __sanitizer_install_malloc_and_free_hooks(
      [](const volatile void*, size_t bytes) { count(static_cast<int64_t>(bytes)); },
      [](const volatile void* block) { count(-static_cast<int64_t>(__sanitizer_get_allocated_size(block))); });
  static_cast<void>(installed);
  in_use = most = 0;
}

#else

#include <malloc.h>

#include <cerrno>

void logodds::watch_heap() { in_use = most = 0; }

extern "C" {
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);
void __libc_free(void*);

static void* taken(void* block) {
  if (block != nullptr) count(static_cast<int64_t>(malloc_usable_size(block)));
  return block;
}

void* malloc(size_t bytes) { return taken(__libc_malloc(bytes)); }
void* calloc(size_t n, size_t bytes) { return taken(__libc_calloc(n, bytes)); }
void* memalign(size_t alignment, size_t bytes) { return taken(__libc_memalign(alignment, bytes)); }
void* aligned_alloc(size_t alignment, size_t bytes) { return taken(__libc_memalign(alignment, bytes)); }
int posix_memalign(void** block, size_t alignment, size_t bytes) {
  *block = taken(__libc_memalign(alignment, bytes));
  return *block == nullptr ? ENOMEM : 0;
}
void* realloc(void* old, size_t bytes) {
  const auto before = static_cast<int64_t>(old == nullptr ? 0 : malloc_usable_size(old));
  void* block = __libc_realloc(old, bytes);
  if (block != nullptr || bytes == 0) count(-before);
  return taken(block);
}
void free(void* block) {
  if (block != nullptr) count(-static_cast<int64_t>(malloc_usable_size(block)));
  __libc_free(block);
}
}

#endif

size_t logodds::heap_peak() { return static_cast<size_t>(most.load()); }
