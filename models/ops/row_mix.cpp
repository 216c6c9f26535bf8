#include "models/ops/row_mix.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <functional>

#include "models/ops/batched.h"

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

/// The terms; held by the autograd graph until its backward has run.
struct Terms : torch::CustomClassHolder {
  explicit Terms(std::vector<MixTerm> t) : list(std::move(t)) {}
  std::vector<MixTerm> list;
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
    row_mix_kernels<T>().forward(mix_of_run<T>(mix, tokens, run), out.size(1), begin, end, /*relu=*/false,
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
                                  table.mutable_data_ptr<T>() + run * table.stride(0),
                                  base.numel() > 0 ? base.mutable_data_ptr<T>() + run * W : nullptr,
                                  shares.mutable_data_ptr<T>() + (run * blocks + begin / kBlock) * B * weights);
  });
  return {table, base, shares.sum(1)};
}

class RowMixFunction : public torch::autograd::Function<RowMixFunction> {
 public:
  static Tensor forward(torch::autograd::AutogradContext* context, const Tensor& table, const Tensor& base,
                        const Tensor& weights, const Tensor& tokens, const c10::intrusive_ptr<Terms>& terms) {
    const Tensor out = at::empty({table.size(0), tokens.size(1), table.size(2)}, table.options());
    const bool is_float = table.scalar_type() == at::kFloat;
    (is_float ? mix_all<float> : mix_all<double>)({table, base, weights, terms->list}, tokens, out);
    context->save_for_backward({table, base, weights, tokens});
    context->saved_data["terms"] = at::IValue::make_capsule(terms);
    return out;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const auto terms = context->saved_data["terms"].toCapsule();
    const Mix mix{saved[0], saved[1], saved[2], static_cast<const Terms&>(*terms).list};
    const bool is_float = saved[0].scalar_type() == at::kFloat;
    auto result = (is_float ? spread_all<float> : spread_all<double>)(mix, saved[3], gradients[0].contiguous());
    result.resize(5);  // none for tokens and terms
    return result;
  }
};

/// The same in LibTorch's operators, for devices without a kernel.
Tensor plain_row_mix(const Mix& mix, const Tensor& tokens) {
  Tensor sum = mix.base_RW.defined() ? mix.base_RW.unsqueeze(1) : Tensor();
  for (const auto& term : mix.terms) {
    const Tensor token = term.position < 0 ? at::zeros_like(tokens.select(2, 0)) : tokens.select(2, term.position);
    Tensor rows = lookup(mix.table_RNW, token + term.first_row);
    if (term.weight >= 0) rows = rows * mix.weights_RBC.select(2, term.weight).unsqueeze(-1);
    sum = sum.defined() ? sum + rows : rows;
  }
  return sum;
}

}  // namespace

Tensor row_mix(const Mix& mix, const Tensor& tokens_RBT) {
  if (!mix.table_RNW.is_cpu()) return plain_row_mix(mix, tokens_RBT);
  // An autograd function takes no undefined tensors; empty ones stand for them.
  const auto given = [&](const Tensor& tensor, std::vector<int64_t> empty) {
    return tensor.defined() ? tensor.contiguous() : at::empty(empty, mix.table_RNW.options());
  };
  const int64_t R = tokens_RBT.size(0), B = tokens_RBT.size(1);
  return RowMixFunction::apply(mix.table_RNW.contiguous(), given(mix.base_RW, {R, 0}),
                               given(mix.weights_RBC, {R, B, 0}), tokens_RBT.contiguous(),
                               c10::make_intrusive<Terms>(mix.terms));
}

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
