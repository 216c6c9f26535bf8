#include "training/step_graph.h"

#include <exception>

#include "core/error.h"
#include "core/log.h"

namespace logodds {

void StepGraph::run(const GraphRecorder::Work& work) {
  if (recorder_ == nullptr) return work();
  if (warm_ups_ < kWarmUps) {
    ++warm_ups_;
    return recorder_->warm_up(work);
  }
  if (!recorded_ && !record(work)) return work();
  recorder_->replay();
}

bool StepGraph::record(const GraphRecorder::Work& work) {
  try {
    recorder_->record(work);
    recorded_ = true;
  } catch (const std::exception& error) {
    const std::string what = error.what();
    spdlog::warn("the step cannot be recorded as a CUDA graph and is launched piece by piece: {}",
                 what.substr(0, what.find('\n')));
    recorder_.reset();
  }
  return recorded_;
}

}  // namespace logodds
