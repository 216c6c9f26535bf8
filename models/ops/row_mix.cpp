#include "models/ops/row_mix.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include "models/ops/batched.h"

namespace logodds {

namespace {

int64_t padded(int64_t columns) { return (columns + kMixAlign - 1) / kMixAlign * kMixAlign; }

/// What a mix does besides its tensors; held by the autograd graph until its backward has run.
struct Plan : torch::CustomClassHolder {
  Plan(std::vector<MixTerm> t, int64_t h, int64_t d, bool r) : terms(std::move(t)), hidden(h), direct(d), relu(r) {}
  std::vector<MixTerm> terms;
  int64_t hidden, direct;
  bool relu;
};

/// Column blocks that do not straddle the hidden and the direct part.
std::vector<std::pair<int64_t, int64_t>> blocks_of(const Plan& plan) {
  std::vector<std::pair<int64_t, int64_t>> blocks;
  const int64_t hidden = padded(plan.hidden), width = hidden + padded(plan.direct);
  for (int64_t begin = 0; begin < width; begin = blocks.back().second) {
    blocks.emplace_back(begin, std::min(begin + kMixBlock, begin < hidden ? hidden : width));
  }
  return blocks;
}

template <class T>
RowMix<T> operands(const Plan& plan, const Tensor& table, const Tensor& tokens, const Tensor& weights, int64_t run) {
  return {.samples = tokens.size(1),
          .positions = tokens.size(2),
          .hidden = plan.hidden,
          .hidden_padded = padded(plan.hidden),
          .direct = plan.direct,
          .width = table.size(2),
          .weight_count = weights.size(2),
          .term_count = static_cast<int64_t>(plan.terms.size()),
          .relu = plan.relu,
          .terms = plan.terms.data(),
          .tokens = tokens.const_data_ptr<int64_t>() + run * tokens.stride(0),
          .weights = weights.const_data_ptr<T>() + run * weights.stride(0),
          .table = table.const_data_ptr<T>() + run * table.stride(0)};
}

/// Calls `work(run, block)` for every run and column block, in parallel where a block is worth waking a thread for.
void for_each_block(int64_t runs, size_t blocks, int64_t samples, const std::function<void(int64_t, size_t)>& work) {
  const auto count = static_cast<int64_t>(blocks);
  constexpr int64_t kSamplesWorthAThread = 512;
  at::parallel_for(0, runs * count, std::max<int64_t>(1, kSamplesWorthAThread / std::max<int64_t>(1, samples)),
                   [&](int64_t begin, int64_t end) {
                     for (int64_t i = begin; i < end; ++i) work(i / count, static_cast<size_t>(i % count));
                   });
}

template <class T>
T* run_of(const Tensor& tensor, int64_t run) {
  return tensor.numel() == 0 ? nullptr : tensor.mutable_data_ptr<T>() + run * tensor.stride(0);
}

template <class T>
void run_forward(const Plan& plan, const Tensor& table, const Tensor& tokens, const Tensor& weights,
                 const Tensor& hidden, const Tensor& direct) {
  const auto blocks = blocks_of(plan);
  for_each_block(table.size(0), blocks.size(), tokens.size(1), [&](int64_t run, size_t block) {
    row_mix_forward(operands<T>(plan, table, tokens, weights, run), blocks[block].first, blocks[block].second,
                    run_of<T>(hidden, run), run_of<T>(direct, run));
  });
}

/// Gradients of table and weights. Each block of columns writes its own share of the weights' gradient; the shares are
/// summed in their order, whatever thread computed them.
template <class T>
std::pair<Tensor, Tensor> run_backward(const Plan& plan, const Tensor& table, const Tensor& tokens,
                                       const Tensor& weights, const Tensor& hidden, const Tensor& hidden_gradient,
                                       const Tensor& direct_gradient) {
  const auto blocks = blocks_of(plan);
  const Tensor table_gradient = at::zeros_like(table);
  std::vector<int64_t> shape{table.size(0), static_cast<int64_t>(blocks.size()), tokens.size(1), weights.size(2)};
  const Tensor shares = at::empty(shape, table.options());
  for_each_block(table.size(0), blocks.size(), tokens.size(1), [&](int64_t run, size_t block) {
    T* share = shares.numel() == 0 ? nullptr
                                   : shares.mutable_data_ptr<T>() + run * shares.stride(0) +
                                         static_cast<int64_t>(block) * shares.stride(1);
    row_mix_backward(operands<T>(plan, table, tokens, weights, run), blocks[block].first, blocks[block].second,
                     run_of<T>(hidden, run), run_of<T>(hidden_gradient, run), run_of<T>(direct_gradient, run),
                     run_of<T>(table_gradient, run), share);
  });
  return {table_gradient, shares.sum(1)};
}

class RowMixFunction : public torch::autograd::Function<RowMixFunction> {
 public:
  static torch::autograd::variable_list forward(torch::autograd::AutogradContext* context, const Tensor& table,
                                                const Tensor& weights, const Tensor& tokens,
                                                const c10::intrusive_ptr<Plan>& plan) {
    const int64_t R = table.size(0), B = tokens.size(1);
    const Tensor hidden = at::empty({R, B, plan->hidden}, table.options());
    const Tensor direct = at::empty({R, B, plan->direct}, table.options());
    const Tensor contiguous_tokens = tokens.contiguous();
    if (table.scalar_type() == at::kFloat) {
      run_forward<float>(*plan, table, contiguous_tokens, weights, hidden, direct);
    } else {
      run_forward<double>(*plan, table, contiguous_tokens, weights, hidden, direct);
    }
    context->save_for_backward({table, weights, contiguous_tokens, hidden});
    context->saved_data["plan"] = at::IValue::make_capsule(plan);
    context->set_materialize_grads(true);
    return {hidden, direct};
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const auto holder = context->saved_data["plan"].toCapsule();
    const Plan& plan = static_cast<const Plan&>(*holder);
    const Tensor hidden_gradient = gradients[0].contiguous(), direct_gradient = gradients[1].contiguous();
    const auto [table, weights] =
        saved[0].scalar_type() == at::kFloat
            ? run_backward<float>(plan, saved[0], saved[2], saved[1], saved[3], hidden_gradient, direct_gradient)
            : run_backward<double>(plan, saved[0], saved[2], saved[1], saved[3], hidden_gradient, direct_gradient);
    return {table, weights, Tensor(), Tensor()};
  }
};

/// The same in LibTorch's operators, for devices without a kernel.
Mixed plain_row_mix(const Tensor& table, const Tensor& tokens, const Tensor& weights, const Plan& plan) {
  Tensor pre;
  for (const auto& term : plan.terms) {
    const Tensor token = term.position < 0 ? at::zeros_like(tokens.select(2, 0)) : tokens.select(2, term.position);
    Tensor rows = lookup(table, token + term.first_row);
    if (term.weight >= 0) rows = rows * weights.select(2, term.weight).unsqueeze(-1);
    pre = pre.defined() ? pre + rows : rows;
  }
  const Tensor hidden = pre.narrow(2, 0, plan.hidden);
  return {plan.relu ? at::relu(hidden) : hidden,
          plan.direct == 0 ? Tensor() : pre.narrow(2, padded(plan.hidden), plan.direct)};
}

}  // namespace

Mixed row_mix(const Tensor& table_RNW, const Tensor& tokens_RBT, const std::vector<MixTerm>& terms,
              const Tensor& weights_RBC, int64_t hidden, int64_t direct, bool relu) {
  const auto plan = c10::make_intrusive<Plan>(terms, hidden, direct, relu);
  if (!table_RNW.is_cpu()) return plain_row_mix(table_RNW, tokens_RBT, weights_RBC, *plan);
  const Tensor weights = weights_RBC.defined()
                             ? weights_RBC.contiguous()
                             : at::empty({tokens_RBT.size(0), tokens_RBT.size(1), 0}, table_RNW.options());
  const auto outputs = RowMixFunction::apply(table_RNW.contiguous(), weights, tokens_RBT, plan);
  return {outputs[0], direct == 0 ? Tensor() : outputs[1]};
}

Tensor mix_columns(const Tensor& x, const Tensor& y) {
  std::vector<Tensor> columns;
  for (const Tensor& part : {x, y}) {
    if (!part.defined()) continue;
    columns.push_back(part);
    std::vector<int64_t> shape = part.sizes().vec();
    shape.back() = padded(shape.back()) - shape.back();
    if (shape.back() > 0) columns.push_back(at::zeros(shape, part.options()));
  }
  return columns.size() == 1 ? x : at::cat(columns, -1);
}

}  // namespace logodds
