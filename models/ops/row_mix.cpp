#include "models/ops/row_mix.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <functional>

#include "core/device.h"
#include "models/ops/row_mix_loops.h"
#include "models/ops/sample_groups.h"

namespace logodds {

template <class T>
RowMix<T> mix_of_run(const Mix& mix, const Tensor& tokens, int64_t run) {
  const auto of_run = [run](const Tensor& tensor) -> const T* {
    return tensor.defined() && tensor.numel() > 0 ? tensor.const_data_ptr<T>() + run * tensor.stride(0) : nullptr;
  };
  return {.positions = tokens.size(2),
          .width = mix.table_RNW.size(2),
          .weight_count = mix.weights_RBC.defined() ? mix.weights_RBC.size(2) : 0,
          .term_count = static_cast<int64_t>(mix.terms.size()),
          .terms = mix.terms.data(),
          .tokens = tokens.const_data_ptr<int64_t>() + run * tokens.stride(0),
          .weights = of_run(mix.weights_RBC),
          .table = of_run(mix.table_RNW),
          .base = of_run(mix.base_RW)};
}
template RowMix<float> mix_of_run(const Mix&, const Tensor&, int64_t);
template RowMix<double> mix_of_run(const Mix&, const Tensor&, int64_t);

namespace {

/// What the operator does besides its tensors; held by the autograd graph until its backward has run.
struct Plan : torch::CustomClassHolder {
  Plan(std::vector<MixTerm> t, bool l) : terms(std::move(t)), loops(l) {}
  std::vector<MixTerm> terms;
  bool loops;  ///< by row_mix_loops.h
};

/// Columns that are computed together: the slice of the table that they read stays in a core's second-level cache.
constexpr int64_t kBlock = 64;

/// Calls `work(run, begin, end)` for every run and block of columns, in parallel where a block is worth a thread.
void for_each_block(int64_t runs, int64_t width, int64_t samples,
                    const std::function<void(int64_t, int64_t, int64_t)>& work) {
  const int64_t blocks = (width + kBlock - 1) / kBlock;
  constexpr int64_t kSamplesWorthAThread = 512;
  at::parallel_for(0, runs * blocks, std::max<int64_t>(1, kSamplesWorthAThread / std::max<int64_t>(1, samples)),
                   [&](int64_t begin, int64_t end) {
                     for (int64_t i = begin; i < end; ++i) {
                       const int64_t column = i % blocks * kBlock;
                       work(i / blocks, column, std::min(column + kBlock, width));
                     }
                   });
}

template <class T>
void mix_all(const Mix& mix, const Tensor& tokens, const Tensor& out) {
  for_each_block(out.size(0), out.size(2), out.size(1), [&](int64_t run, int64_t begin, int64_t end) {
    row_mix_kernels<T>().forward(mix_of_run<T>(mix, tokens, run), out.size(1), begin, end, /*relu_end=*/0,
                                 out.mutable_data_ptr<T>() + run * out.stride(0) + begin, out.stride(1));
  });
}

/// Gradients of table, base and weights. Each block of columns adds to its own share of the weights' gradient; the
/// shares are summed in their order, whatever thread computed them.
template <class T>
torch::autograd::variable_list spread_all(const Mix& mix, const Tensor& tokens, const Tensor& gradient) {
  const int64_t R = gradient.size(0), B = gradient.size(1), W = gradient.size(2);
  const Tensor table = at::zeros_like(mix.table_RNW), base = at::zeros_like(mix.base_RW);
  const int64_t blocks = (W + kBlock - 1) / kBlock;
  const int64_t weights = mix.weights_RBC.size(2);
  const Tensor shares = at::zeros({R, blocks, B, weights}, table.options());
  for_each_block(R, W, B, [&](int64_t run, int64_t begin, int64_t end) {
    row_mix_kernels<T>().backward(mix_of_run<T>(mix, tokens, run), B, begin, end,
                                  gradient.const_data_ptr<T>() + run * gradient.stride(0) + begin, gradient.stride(1),
                                  table.mutable_data_ptr<T>() + run * table.stride(0), /*filled=*/nullptr,
                                  base.numel() > 0 ? base.mutable_data_ptr<T>() + run * W : nullptr,
                                  shares.mutable_data_ptr<T>() + (run * blocks + begin / kBlock) * B * weights);
  });
  return {table, base, shares.sum(1)};
}

/// Calls `work` with the operands of all runs, a few terms at a time.
template <class T>
void for_each_few_terms(const Mix& mix, const Tensor& tokens, const std::function<void(const MixOperands<T>&)>& work) {
  const RowMix<T> all = mix_of_run<T>(mix, tokens, 0);
  MixOperands<T> few{.samples = tokens.size(1),
                     .rows = mix.table_RNW.size(1),
                     .width = all.width,
                     .positions = all.positions,
                     .weight_count = all.weight_count,
                     .tokens = all.tokens,
                     .weights = all.weights,
                     .table = all.table,
                     .base = all.base,
                     .first = true,
                     .term_count = 0,
                     .terms = {}};
  const auto done = [&] {
    work(few);
    few.first = false;
    few.term_count = 0;
  };
  for (const MixTerm& term : mix.terms) {
    if (few.term_count == kTermsAtOnce) done();
    few.terms[few.term_count++] = {static_cast<int32_t>(term.position), static_cast<int32_t>(term.first_row),
                                   static_cast<int32_t>(term.weight)};
  }
  done();
}

template <class T>
void mix_by_loops(const Mix& mix, const Tensor& tokens, const Tensor& out) {
  for_each_few_terms<T>(mix, tokens, [&](const MixOperands<T>& few) {
    run(MixForward<T>{few, out.mutable_data_ptr<T>()}, out.size(0), place_of(out));
  });
}

template <class T>
torch::autograd::variable_list spread_by_loops(const Mix& mix, const Tensor& tokens, const Tensor& gradient) {
  const int64_t R = tokens.size(0);
  // Terms without a position read the same row for every sample: one more group, in which all tokens are 0.
  Tensor keys_RTB = tokens.transpose(1, 2);
  if (std::ranges::any_of(mix.terms, [](const MixTerm& term) { return term.position < 0; })) {
    keys_RTB = at::cat({keys_RTB, at::zeros({R, 1, tokens.size(1)}, tokens.options())}, 1);
  }
  const SampleGroups groups = group_samples(keys_RTB, mix.table_RNW.size(1));
  const Tensor table = at::empty_like(mix.table_RNW), weights = at::empty_like(mix.weights_RBC);
  const T* g = gradient.const_data_ptr<T>();
  for_each_few_terms<T>(mix, tokens, [&](const MixOperands<T>& few) {
    run(MixTableGradient<T>{few, keys_RTB.size(1), groups.order_RGB.const_data_ptr<int64_t>(),
                            groups.starts_RGK.const_data_ptr<int64_t>(), g, table.mutable_data_ptr<T>()},
        R, place_of(table));
    run(MixWeightGradient<T>{few, g, weights.mutable_data_ptr<T>()}, R, place_of(table));
  });
  return {table, mix.base_RW.numel() > 0 ? gradient.sum(1) : at::zeros_like(mix.base_RW), weights};
}

class RowMixFunction : public torch::autograd::Function<RowMixFunction> {
 public:
  static Tensor forward(torch::autograd::AutogradContext* context, const Tensor& table, const Tensor& base,
                        const Tensor& weights, const Tensor& tokens, const c10::intrusive_ptr<Plan>& plan) {
    const Tensor out = at::empty({table.size(0), tokens.size(1), table.size(2)}, table.options());
    const bool is_float = table.scalar_type() == at::kFloat;
    const auto forward = plan->loops ? (is_float ? mix_by_loops<float> : mix_by_loops<double>)
                                     : (is_float ? mix_all<float> : mix_all<double>);
    forward({table, base, weights, plan->terms}, tokens, out);
    context->save_for_backward({table, base, weights, tokens});
    context->saved_data["plan"] = at::IValue::make_capsule(plan);
    return out;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const auto capsule = context->saved_data["plan"].toCapsule();
    const auto& plan = static_cast<const Plan&>(*capsule);
    const Mix mix{saved[0], saved[1], saved[2], plan.terms};
    const bool is_float = saved[0].scalar_type() == at::kFloat;
    const auto spread = plan.loops ? (is_float ? spread_by_loops<float> : spread_by_loops<double>)
                                   : (is_float ? spread_all<float> : spread_all<double>);
    auto result = spread(mix, saved[3], gradients[0].contiguous());
    result.resize(5);  // none for tokens and plan
    return result;
  }
};

Tensor apply(const Mix& mix, const Tensor& tokens, bool loops) {
  // An autograd function takes no undefined tensors; empty ones stand for them.
  const auto given = [&](const Tensor& tensor, std::vector<int64_t> empty) {
    return tensor.defined() ? tensor.contiguous() : at::empty(empty, mix.table_RNW.options());
  };
  const int64_t R = tokens.size(0), B = tokens.size(1);
  return RowMixFunction::apply(mix.table_RNW.contiguous(), given(mix.base_RW, {R, 0}),
                               given(mix.weights_RBC, {R, B, 0}), tokens.contiguous(),
                               c10::make_intrusive<Plan>(mix.terms, loops));
}

}  // namespace

Tensor row_mix(const Mix& mix, const Tensor& tokens_RBT) { return apply(mix, tokens_RBT, !mix.table_RNW.is_cpu()); }

Tensor row_mix_by_loops(const Mix& mix, const Tensor& tokens_RBT) { return apply(mix, tokens_RBT, true); }

Tensor aligned_columns(const Tensor& x, const Tensor& y) {
  std::vector<Tensor> columns;
  for (const Tensor& part : {x, y}) {
    if (!part.defined()) continue;
    columns.push_back(part);
    std::vector<int64_t> shape = part.sizes().vec();
    shape.back() = aligned(shape.back()) - shape.back();
    if (shape.back() > 0) columns.push_back(at::zeros(shape, part.options()));
  }
  return columns.size() == 1 ? x : at::cat(columns, -1);
}

}  // namespace logodds
