// One contender of the comparison of training steps (tests/bench/compare.py): a process that has warmed up and is asked
// for batches of steps, so that several can take turns.
//
//   logodds_contender WHAT CONFIG [key=value]…
//     step      training steps
//     autograd  the same steps by the model's plain definition (`untraced`) and LibTorch's autograd
//     evaluate  evaluations with all hooks of the configuration, after 100 and 200 steps in turns
//     peak      fused multiply-adds in registers on all threads: what the machine can do at most
//     export    no contest: writes weights, inputs and targets of run 0 to standard output, in safetensors
//
// It says {"first_loss": …, "flop": …} and from then on answers each line N of its standard input with {"seconds": …,
// "peak_mb": …} after one repetition unmeasured and N measured; `flop` is what one repetition counts.

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/record_function.h>

#include <array>
#include <atomic>
#include <chrono>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/memory.h"
#include "experiments/experiment.h"
#include "models/ops/batched.h"
#include "models/ops/tile_kernel.h"
#include "training/gradient.h"

namespace logodds {
namespace {

struct Contender {
  std::function<void()> repeat;
  double first_loss = 0;  ///< of run 0 with its initial weights
  double flop = 0;        ///< multiplications and additions of one repetition
};

struct Samples {
  explicit Samples(const Pack& pack)
      : inputs_RBT(lookup(pack.data.inputs, pack.data.train_RB)),
        targets_RB(pack.data.targets_RN.gather(1, pack.data.train_RB)) {}
  Tensor inputs_RBT, targets_RB;
};

std::atomic<int64_t> product_flop;  // of all matrix products; global because a callback cannot capture

std::unique_ptr<at::ObserverContext> count_product(const at::RecordFunction& function) {
  const std::string name = function.name();
  const size_t first = name == "aten::addmm" || name == "aten::baddbmm" ? 1 : 0;
  if (first == 0 && name != "aten::mm" && name != "aten::bmm" && name != "logodds::product") return nullptr;
  const Tensor a = function.inputs()[first].toTensor(), b = function.inputs()[first + 1].toTensor();
  product_flop += 2 * a.numel() * b.size(-1);
  return nullptr;
}

/// Of one folded step of all runs: the matrix products of the fold, those of the layers and the row mix, each once
/// forward and twice backward (by either operand; where the mix has no weights, once). What is computed element by
/// element (softmax, loss, optimizer) is not counted. 0 where the model has no folded form, and for features, whose
/// zeros are not multiplied.
double folded_flop(const Pack& pack) {
  const at::NoGradGuard no_grad;
  const Samples samples(pack);
  const auto handle = at::addGlobalCallback(
      at::RecordFunctionCallback(count_product).needsInputs(true).scopes({at::RecordScope::FUNCTION}));
  product_flop = 0;
  const auto folded = pack.model->fold(pack.parameters, samples.inputs_RBT, /*gauge=*/true);
  at::removeCallback(handle);
  if (!folded || folded->features()) return 0;
  const auto all = static_cast<double>(samples.targets_RB.numel());  // samples of all runs
  double flop = 3 * static_cast<double>(product_flop);
  for (const auto& layer : folded->layers) {
    flop += 3 * 2 * all * static_cast<double>(layer.W_RIO.size(1) * layer.W_RIO.size(2));
  }
  for (const auto& term : folded->mix.terms) {
    flop += (term.weight < 0 ? 2 : 6) * all * static_cast<double>(folded->mix.table_RNW.size(2));
  }
  return flop;
}

Contender step(Trainer& trainer) {
  const double loss = trainer.evaluate()[0]["train_loss"].get<double>();
  return {[&trainer] { trainer.take_step(); }, loss, folded_flop(trainer.pack())};
}

Contender autograd(Pack& pack) {
  const auto take_step = [&pack, samples = Samples(pack)] {
    const Tensor loss_R =
        trace_gradient(*pack.model, *pack.loss, pack.parameters, samples.inputs_RBT, samples.targets_RB);
    pack.optimizer->step(pack.parameters, at::scalar_tensor(1.0, at::kDouble));
    return loss_R[0].item<double>();
  };
  return {take_step, take_step(), folded_flop(pack)};
}

/// Weights 100 steps apart take turns, so that hooks which begin where they stopped meet what they meet in training.
Contender evaluate(Trainer& trainer) {
  std::array<Tensor, 2> weights;
  for (Tensor& some : weights) {
    for (int i = 0; i < 100; ++i) trainer.take_step();
    some = trainer.pack().parameters.flat().clone();
  }
  return {[&trainer, weights, turn = size_t{0}]() mutable {
    trainer.pack().parameters.flat().copy_(weights[turn++ % 2]);
    trainer.evaluate();
  }};
}

Contender peak() {
  constexpr int64_t kRepeats = 2'000'000;
  const auto on_all_threads = [] {
    const int64_t threads = at::get_num_threads();
    std::atomic<int64_t> all = 0;
    std::atomic<float> result = 0;  // so that nothing can be left out
    at::parallel_for(0, threads, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        int64_t operations = 0;
        result = tile_kernels<float>().peak(kRepeats, &operations);
        all += operations;
      }
    });
    return static_cast<double>(all);
  };
  return {[on_all_threads] { on_all_threads(); }, 0, on_all_threads()};
}

void write_samples(const Pack& pack) {
  const Samples samples(pack);
  NamedTensors tensors = pack.parameters.run(0);
  tensors["inputs"] = samples.inputs_RBT[0];
  tensors["targets"] = samples.targets_RB[0];
  const std::string bytes = to_safetensors(tensors);
  std::cout.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

/// The largest resident memory of this process since the last call of `forget_peak`, in MB.
double peak_mb() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (word == "VmHWM:" && status >> word) return std::stod(word) / 1024;
  }
  return 0;
}
void forget_peak() { std::ofstream("/proc/self/clear_refs") << "5"; }

void answer(const Contender& contender) {
  using Clock = std::chrono::steady_clock;
  using Json = nlohmann::ordered_json;
  for (int i = 0; i < 3; ++i) contender.repeat();
  forget_peak();
  std::cout << Json{{"first_loss", contender.first_loss}, {"flop", contender.flop}} << std::endl;
  for (int64_t count = 0; std::cin >> count;) {
    contender.repeat();
    const auto start = Clock::now();
    for (int64_t i = 0; i < count; ++i) contender.repeat();
    const std::chrono::duration<double> seconds = Clock::now() - start;
    std::cout << Json{{"seconds", seconds.count()}, {"peak_mb", peak_mb()}} << std::endl;
  }
}

void run(const std::string& what, const std::string& config, const std::vector<std::string>& overrides) {
  const Experiment experiment = Experiment::from_file(config, overrides);
  Pack pack = experiment.assemble();
  if (what == "export") return write_samples(pack);
  if (what == "autograd") return answer(autograd(pack));
  if (what == "peak") return answer(peak());
  if (what != "step" && what != "evaluate")
    throw Error("'" + what + "' is none of step, autograd, evaluate, peak, export");
  Trainer trainer(experiment.options().training, std::move(pack), {});
  answer(what == "step" ? step(trainer) : evaluate(trainer));
}

}  // namespace
}  // namespace logodds

int main(int argc, char** argv) {
  logodds::keep_freed_memory();  // as the program does
  if (argc < 3) {
    std::cerr << "usage: logodds_contender step|autograd|evaluate|peak|export CONFIG [key=value]...\n";
    return 2;
  }
  try {
    logodds::run(argv[1], argv[2], {argv + 3, argv + argc});
    return 0;
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 2;
  }
}
