#pragma once

#include <cstdint>
#include <string>

#include "core/error.h"

// Work of many independent pieces, written once: a kernel on a GPU where nvcc compiles it, plain loops on the CPU. The
// loops do the same arithmetic in the same order, which is how the kernels are tested where there is no GPU. No
// LibTorch here: nvcc reads this.

#ifdef __CUDACC__
#include <cuda_runtime_api.h>
#define LOGODDS_DEVICE __host__ __device__
#else
#define LOGODDS_DEVICE
#endif

namespace logodds {

/// Where work is done: on the CPU, or in order on a stream of the current GPU.
struct Place {
  bool gpu = false;
  void* stream = nullptr;  ///< a cudaStream_t
};

/// 32 lanes that work on one piece together: a warp on a GPU, one after the other on the CPU. All of its members must
/// be called by all lanes.
class Warp {
 public:
  static constexpr int kLanes = 32;
  LOGODDS_DEVICE explicit Warp(int lane) : lane_(lane) {}

  /// Σ_lane f(lane), always in the same order, known to all lanes.
  template <class F>
  LOGODDS_DEVICE auto sum(const F& f) const {
    return reduce(f, [](auto a, auto b) { return a + b; });
  }

  /// max_lane f(lane); a NaN may be lost.
  template <class F>
  LOGODDS_DEVICE auto max(const F& f) const {
    return reduce(f, [](auto a, auto b) { return a > b ? a : b; });
  }

  /// f(lane), each lane its own.
  template <class F>
  LOGODDS_DEVICE void each(const F& f) const {
#ifdef __CUDA_ARCH__
    f(lane_);
#else
    for (int lane = 0; lane < kLanes; ++lane) f(lane);
#endif
  }

 private:
  template <class F, class Join>
  LOGODDS_DEVICE auto reduce(const F& f, const Join& join) const {
#ifdef __CUDA_ARCH__
    auto value = f(lane_);
    for (int distance = kLanes / 2; distance > 0; distance /= 2) {
      value = join(value, __shfl_xor_sync(0xffffffffu, value, distance));
    }
    return value;
#else
    decltype(f(0)) values[kLanes];
    for (int lane = 0; lane < kLanes; ++lane) values[lane] = f(lane);
    for (int distance = kLanes / 2; distance > 0; distance /= 2) {
      for (int lane = 0; lane < distance; ++lane) values[lane] = join(values[lane], values[lane + distance]);
    }
    return values[0];
#endif
  }

  int lane_;
};

#ifdef __CUDACC__

template <class Work>
__global__ void element_kernel(int64_t columns, Work work) {
  const int64_t column = static_cast<int64_t>(blockIdx.y) * blockDim.x + threadIdx.x;
  if (column < columns) work(int64_t{blockIdx.z}, int64_t{blockIdx.x}, column);
}

template <class Work>
__global__ void warp_kernel(int64_t rows, Work work) {
  const int64_t row = static_cast<int64_t>(blockIdx.x) * blockDim.y + threadIdx.y;
  if (row < rows) work(int64_t{blockIdx.z}, row, Warp(static_cast<int>(threadIdx.x)));
}

/// The grid, within the limits of CUDA.
inline dim3 grid_of(int64_t x, int64_t y, int64_t z) {
  if (x > 0x7fffffff || y > 65535 || z > 65535) {
    throw Error("work of " + std::to_string(x) + " x " + std::to_string(y) + " x " + std::to_string(z) +
                    " blocks is too large for a GPU; train fewer runs at once",
                ExitCode::internal);
  }
  return dim3(static_cast<unsigned>(x), static_cast<unsigned>(y), static_cast<unsigned>(z));
}

inline void check_launch() {
  const cudaError_t error = cudaGetLastError();
  if (error != cudaSuccess) {
    throw Error(std::string("a kernel could not be started: ") + cudaGetErrorString(error), ExitCode::internal);
  }
}

#endif

/// work(run, row, column) for all of them, each alone.
template <class Work>
void run_elements(const Place& place, int64_t runs, int64_t rows, int64_t columns, const Work& work) {
  if (runs == 0 || rows == 0 || columns == 0) return;
#ifdef __CUDACC__
  if (place.gpu) {
    const int64_t threads = columns < 128 ? (columns + 31) / 32 * 32 : 128;
    const dim3 grid = grid_of(rows, (columns + threads - 1) / threads, runs);
    element_kernel<<<grid, static_cast<unsigned>(threads), 0, static_cast<cudaStream_t>(place.stream)>>>(columns, work);
    check_launch();
    return;
  }
#endif
  if (place.gpu) throw Error("this program was built without kernels for a GPU", ExitCode::internal);
  for (int64_t run = 0; run < runs; ++run) {
    for (int64_t row = 0; row < rows; ++row) {
      for (int64_t column = 0; column < columns; ++column) work(run, row, column);
    }
  }
}

/// work(run, row, warp) for all of them, a warp each.
template <class Work>
void run_warps(const Place& place, int64_t runs, int64_t rows, const Work& work) {
  if (runs == 0 || rows == 0) return;
#ifdef __CUDACC__
  if (place.gpu) {
    constexpr int kWarps = 4;
    const dim3 grid = grid_of((rows + kWarps - 1) / kWarps, 1, runs);
    warp_kernel<<<grid, dim3(Warp::kLanes, kWarps), 0, static_cast<cudaStream_t>(place.stream)>>>(rows, work);
    check_launch();
    return;
  }
#endif
  if (place.gpu) throw Error("this program was built without kernels for a GPU", ExitCode::internal);
  for (int64_t run = 0; run < runs; ++run) {
    for (int64_t row = 0; row < rows; ++row) work(run, row, Warp(0));
  }
}

}  // namespace logodds
