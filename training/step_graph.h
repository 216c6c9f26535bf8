#pragma once

#include <c10/core/Device.h>

#include <functional>
#include <memory>

namespace logodds {

/// Records work on a GPU and replays it as a whole.
class GraphRecorder {
 public:
  virtual ~GraphRecorder() = default;
  using Work = std::function<void()>;

  /// Does the work once, on the stream that it will be recorded on, and waits for it: libraries set themselves up.
  virtual void warm_up(const Work& work) = 0;

  /// Notes what the work would do, without doing it. Throws what the work or the GPU throws.
  virtual void record(const Work& work) = 0;

  /// Does what was recorded, on the current stream.
  virtual void replay() = 0;
};

/// The recorder of CUDA graphs for a GPU; null elsewhere.
std::unique_ptr<GraphRecorder> graph_recorder(at::Device device);

/// Work that is the same sequence of device operations at every call: a few times it is done as it is, then recorded,
/// and from then on replayed with one launch. The work may depend on the outside through the contents of tensors only,
/// and what it leaves on the host (tensors that it makes) is that of the recording. Where it cannot be recorded, it is
/// done as it is, with one line in the log.
class StepGraph {
 public:
  static constexpr int kWarmUps = 3;

  /// Without a recorder the work is simply done.
  explicit StepGraph(std::unique_ptr<GraphRecorder> recorder) : recorder_(std::move(recorder)) {}

  /// Does the work once.
  void run(const GraphRecorder::Work& work);

  bool recorded() const { return recorded_; }

 private:
  bool record(const GraphRecorder::Work& work);

  std::unique_ptr<GraphRecorder> recorder_;
  int warm_ups_ = 0;
  bool recorded_ = false;
};

}  // namespace logodds
