// Training on a GPU against the CPU, and a recorded step against the same step launched piece by piece.

#include "tests/gpu.h"

#include <ATen/core/grad_mode.h>

#include "tests/training/small_pack.h"
#include "training/gradient.h"
#include "training/step_graph.h"
#include "training/trainer.h"

namespace logodds {
namespace {

SmallPack pack_on(at::Device device, at::ScalarType dtype, bool transformer, bool momentum) {
  SmallPack pack{.seeds = {0, 1, 2}, .weight_decays = {1, 0, 0.3}, .learning_rates = {.01, .02, .005}};
  pack.transformer = transformer;
  pack.momentum = momentum;
  pack.dtype = dtype;
  pack.device = device;
  return pack;
}

/// Weights after 50 steps of the trainer, evaluations and hooks between them.
Tensor trained(SmallPack pack) {
  pack.hooks = true;
  Trainer trainer({.steps = 50, .evaluate_every_steps = 10}, pack.make(), {});
  trainer.run();
  EXPECT_EQ(trainer.step_graph().recorded(), pack.device.is_cuda()) << "the step must be recorded as a CUDA graph";
  return trainer.pack().parameters.flat();
}

/// The same, launched piece by piece.
Tensor trained_plainly(const SmallPack& small) {
  Pack pack = small.make();
  const Tensor inputs = at::stack({pack.data.inputs[0].index_select(0, pack.data.train_RB[0]),
                                   pack.data.inputs[1].index_select(0, pack.data.train_RB[1]),
                                   pack.data.inputs[2].index_select(0, pack.data.train_RB[2])});
  const Tensor targets = pack.data.targets_RN.gather(1, pack.data.train_RB);
  for (int64_t step = 0; step < 50; ++step) {
    loss_gradient(*pack.model, *pack.loss, pack.parameters, inputs, targets);
    const at::NoGradGuard no_grad;
    pack.optimizer->step(pack.parameters,
                         at::scalar_tensor(pack.schedule->factor(step), inputs.options().dtype(at::kDouble)));
  }
  return pack.parameters.flat();
}

template <class Check>
void for_each_pack(const Check& check) {
  for (const bool transformer : {true, false}) {
    for (const bool momentum : {true, false}) {
      SCOPED_TRACE(std::string(transformer ? "transformer" : "mlp") + (momentum ? ", sgd" : ", adamw"));
      check(transformer, momentum);
    }
  }
}

TEST_F(Gpu, FiftyStepsEqualTheCpus) {
  for_each_pack([](bool transformer, bool momentum) {
    const auto difference = [&](at::ScalarType type) {
      return largest_difference(trained(pack_on(at::kCUDA, type, transformer, momentum)),
                                trained(pack_on(at::kCPU, type, transformer, momentum)));
    };
    EXPECT_LT(difference(at::kDouble), 1e-10);
    EXPECT_LT(difference(at::kFloat), 2e-3);  // rounding grows while training; steps of 0.01 move weights by tenths
  });
}

TEST_F(Gpu, AReplayedStepEqualsTheStepLaunchedPieceByPiece) {
  for_each_pack([](bool transformer, bool momentum) {
    const SmallPack pack = pack_on(at::kCUDA, at::kDouble, transformer, momentum);
    EXPECT_LT(largest_difference(trained(pack), trained_plainly(pack)), 1e-12);
  });
}

TEST_F(Gpu, TheSameSeedGivesTheSameBits) {
  const SmallPack pack = pack_on(at::kCUDA, at::kFloat, true, false);
  EXPECT_TRUE(trained(pack).equal(trained(pack)));
}

TEST_F(Gpu, AGraphDoesItsWorkOncePerCallAndSeesTheTensorsOfTheMoment) {
  const Tensor sum = at::zeros({}, at::TensorOptions().dtype(at::kDouble).device(at::kCUDA)),
               added = at::ones_like(sum);
  StepGraph graph(graph_recorder(at::Device(at::kCUDA)));
  for (int i = 1; i <= 10; ++i) {
    added.fill_(i);
    graph.run([&] { sum.add_(added); });
  }
  EXPECT_TRUE(graph.recorded());
  EXPECT_EQ(sum.item<double>(), 55);
}

TEST_F(Gpu, WorkThatWaitsForTheGpuIsDoneWithoutAGraph) {
  const Tensor sum = at::zeros({}, at::TensorOptions().dtype(at::kDouble).device(at::kCUDA));
  double seen = 0;
  StepGraph graph(graph_recorder(at::Device(at::kCUDA)));
  for (int i = 0; i < 10; ++i) {
    graph.run([&] {
      sum.add_(1);
      seen = sum.item<double>();
    });
  }
  EXPECT_FALSE(graph.recorded());
  EXPECT_EQ(seen, 10);
}

}  // namespace
}  // namespace logodds
