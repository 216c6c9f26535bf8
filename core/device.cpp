#include "core/device.h"

#include <ATen/ATen.h>

#include <cstdlib>
#ifdef LOGODDS_CUDA
#include <c10/cuda/CUDAStream.h>
#endif

namespace logodds {

Place place_of(const Tensor& tensor) {
#ifdef LOGODDS_CUDA
  if (tensor.is_cuda()) return {.gpu = true, .stream = c10::cuda::getCurrentCUDAStream(tensor.get_device()).stream()};
#endif
  if (!tensor.is_cpu()) throw Error("logodds computes on CPUs and, when built for it, on GPUs", ExitCode::internal);
  return {};
}

void make_repeatable(bool tf32) {
  at::globalContext().setDeterministicAlgorithms(true, /*warn_only=*/false);
  at::globalContext().setDeterministicFillUninitializedMemory(false);  // every element is written before it is read
  // Without it LibTorch refuses cuBLAS in deterministic mode: products on several streams might share a workspace.
  setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", /*overwrite=*/0);
  at::globalContext().setAllowTF32CuBLAS(tf32);
}

}  // namespace logodds
