#include "training/step_graph.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "core/error.h"

namespace logodds {
namespace {

using Work = GraphRecorder::Work;

/// Notes what is asked of it. It "records" by keeping the work, which it does at a replay.
class FakeRecorder : public GraphRecorder {
 public:
  FakeRecorder(std::string& log, bool able) : log_(log), able_(able) {}
  void warm_up(const Work& work) override {
    log_ += "w";
    work();
  }
  void record(const Work& work) override {
    log_ += "r";
    if (!able_) throw Error("this work waits for the GPU");
    work_ = work;
  }
  void replay() override {
    log_ += "p";
    work_();
  }

 private:
  std::string& log_;
  bool able_;
  Work work_;
};

struct Outcome {
  std::string log;
  int done = 0;
  bool recorded = false;
};
Outcome run(int calls, bool able) {
  Outcome outcome;
  StepGraph graph(std::make_unique<FakeRecorder>(outcome.log, able));
  for (int i = 1; i <= calls; ++i) {
    graph.run([&] { ++outcome.done; });
    EXPECT_EQ(outcome.done, i) << "every call does the work once";
  }
  outcome.recorded = graph.recorded();
  return outcome;
}

TEST(StepGraph, WarmsUpRecordsOnceAndReplays) {
  EXPECT_EQ(run(7, true).log, "wwwrpppp");
  EXPECT_FALSE(run(3, true).recorded);
  EXPECT_TRUE(run(4, true).recorded);
}

TEST(StepGraph, WhatCannotBeRecordedIsDoneAsItIsAndNotTriedAgain) {
  const Outcome outcome = run(7, false);
  EXPECT_EQ(outcome.log, "wwwr");
  EXPECT_EQ(outcome.done, 7);
  EXPECT_FALSE(outcome.recorded);
}

TEST(StepGraph, WithoutARecorderTheWorkIsDone) {
  StepGraph graph(graph_recorder(at::kCPU));
  int done = 0;
  for (int i = 0; i < 5; ++i) graph.run([&] { ++done; });
  EXPECT_EQ(done, 5);
}

TEST(StepGraph, AnErrorOfTheWorkItselfIsPassedOn) {
  StepGraph graph(nullptr);
  EXPECT_THROW(graph.run([] { throw Error("diverged", ExitCode::diverged); }), Error);
}

}  // namespace
}  // namespace logodds
