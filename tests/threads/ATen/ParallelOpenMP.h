#pragma once

// Stands before LibTorch's file of the same name in the preset `tsan`: at::parallel_for on std::thread. ThreadSanitizer
// follows std::thread; of the barriers in libgomp, which is not instrumented, it sees nothing and takes all work for a
// race.

#define INTRA_OP_PARALLEL

#include <algorithm>
#include <cstdint>
#include <exception>
#include <thread>
#include <vector>

namespace at::internal {

template <typename F>
inline void invoke_parallel(int64_t begin, int64_t end, int64_t grain_size, const F& f) {
  int64_t threads = at::get_num_threads();
  if (grain_size > 0) threads = std::min(threads, divup(end - begin, grain_size));
  const int64_t chunk = divup(end - begin, threads);
  std::vector<std::exception_ptr> errors(static_cast<size_t>(threads));
  const auto work = [&](int64_t id) {
    const int64_t first = begin + id * chunk;
    if (first >= end) return;
    try {
      const ThreadIdGuard guard(static_cast<int>(id));
      f(first, std::min(end, first + chunk));
    } catch (...) {
      errors[static_cast<size_t>(id)] = std::current_exception();
    }
  };
  std::vector<std::thread> others;
  for (int64_t id = 1; id < threads; ++id) others.emplace_back(work, id);
  work(0);
  for (auto& other : others) other.join();
  for (const auto& error : errors) {
    if (error) std::rethrow_exception(error);
  }
}

}  // namespace at::internal
