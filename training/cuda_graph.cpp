#include <optional>

#include "training/step_graph.h"
#ifdef LOGODDS_CUDA
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#endif

namespace logodds {

#ifdef LOGODDS_CUDA

namespace {

class CudaGraphRecorder : public GraphRecorder {
 public:
  CudaGraphRecorder() : stream_(c10::cuda::getStreamFromPool()) {}

  void warm_up(const Work& work) override {
    c10::cuda::getCurrentCUDAStream().synchronize();
    {
      const c10::cuda::CUDAStreamGuard guard(stream_);
      work();
    }
    stream_.synchronize();
  }

  void record(const Work& work) override {
    c10::cuda::getCurrentCUDAStream().synchronize();
    const c10::cuda::CUDAStreamGuard guard(stream_);
    graph_.emplace();
    graph_->capture_begin();
    try {
      work();
    } catch (...) {
      end_failed_capture();
      throw;
    }
    graph_->capture_end();
  }

  void replay() override { graph_->replay(); }

 private:
  /// The stream must leave the capture; that the capture is invalid is known.
  void end_failed_capture() {
    try {
      graph_->capture_end();
    } catch (const std::exception&) {
    }
  }

  c10::cuda::CUDAStream stream_;
  std::optional<at::cuda::CUDAGraph> graph_;
};

}  // namespace

std::unique_ptr<GraphRecorder> graph_recorder(at::Device device) {
  return device.is_cuda() ? std::make_unique<CudaGraphRecorder>() : nullptr;
}

#else

std::unique_ptr<GraphRecorder> graph_recorder(at::Device) { return nullptr; }

#endif

}  // namespace logodds
