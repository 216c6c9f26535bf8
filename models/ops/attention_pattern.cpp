#include "models/ops/attention_pattern.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>

#include "models/ops/batched.h"

namespace logodds {

namespace {

/// What the operator does besides its tensors; held by the autograd graph until its backward has run.
struct Plan : torch::CustomClassHolder {
  Plan(std::vector<ScoreRow> r, int64_t k, double a) : rows(std::move(r)), kept(k), alpha(a) {}
  std::vector<ScoreRow> rows;
  int64_t kept;
  double alpha;
};

int64_t row_of(const ScoreRow& row, const int64_t* tokens) {
  int64_t index = row.first;
  for (size_t t = 0; t < row.strides.size(); ++t) index += row.strides[t] * tokens[t];
  return index;
}

/// One sample's softmax over positions, [heads, positions].
template <class T>
void softmax(const std::vector<ScoreRow>& rows, const T* scores, int64_t heads, const int64_t* tokens, T* out) {
  const auto positions = static_cast<int64_t>(rows.size());
  for (int64_t t = 0; t < positions; ++t) {
    const ScoreRow& row = rows[static_cast<size_t>(t)];
    const T* from = row.zero ? nullptr : scores + row_of(row, tokens) * heads;
    for (int64_t h = 0; h < heads; ++h) out[h * positions + t] = from == nullptr ? T{0} : from[h];
  }
  for (int64_t h = 0; h < heads; ++h, out += positions) {
    const T largest = *std::max_element(out, out + positions);
    T sum = 0;
    for (int64_t t = 0; t < positions; ++t) sum += out[t] = std::exp(out[t] - largest);
    for (int64_t t = 0; t < positions; ++t) out[t] /= sum;
  }
}

/// softmax [R,B,H,positions] and what `attention_pattern` makes of it.
template <class T>
void all_patterns(const Tensor& scores, const Tensor& tokens, const Plan& plan, const Tensor& softmaxes,
                  const Tensor& out) {
  const int64_t B = tokens.size(1), token_count = tokens.size(2), H = scores.size(2), run_size = scores.stride(0);
  const auto positions = static_cast<int64_t>(plan.rows.size());
  const auto alpha = static_cast<T>(plan.alpha), rest = static_cast<T>(1 - plan.alpha);
  const T* tables = scores.const_data_ptr<T>();
  const auto* token = tokens.const_data_ptr<int64_t>();
  T *all = softmaxes.mutable_data_ptr<T>(), *kept = out.mutable_data_ptr<T>();
  at::parallel_for(0, tokens.size(0) * B, 256, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      T* pattern = all + i * H * positions;
      softmax(plan.rows, tables + i / B * run_size, H, token + i * token_count, pattern);
      for (int64_t h = 0; h < H; ++h) {
        for (int64_t t = 0; t < plan.kept; ++t) {
          kept[(i * H + h) * plan.kept + t] = alpha * pattern[h * positions + t] + rest;
        }
      }
    }
  });
}

/// ∂/∂s_t = α p_t (g_t - Σ_u p_u g_u), with g = 0 for positions that are not kept; run by run, samples in order.
template <class T>
void add_gradients(const Tensor& softmaxes, const Tensor& tokens, const Plan& plan, const Tensor& gradient,
                   const Tensor& result) {
  const int64_t B = tokens.size(1), token_count = tokens.size(2), H = result.size(2), run_size = result.stride(0);
  const auto positions = static_cast<int64_t>(plan.rows.size());
  const auto alpha = static_cast<T>(plan.alpha);
  at::parallel_for(0, tokens.size(0), 1, [&](int64_t begin, int64_t end) {
    const T *p = softmaxes.const_data_ptr<T>() + begin * B * H * positions,
            *g = gradient.const_data_ptr<T>() + begin * B * H * plan.kept;
    for (int64_t i = begin * B; i < end * B; ++i) {
      const int64_t* token = tokens.const_data_ptr<int64_t>() + i * token_count;
      T* to = result.mutable_data_ptr<T>() + i / B * run_size;
      for (int64_t h = 0; h < H; ++h, p += positions, g += plan.kept) {
        T mean = 0;
        for (int64_t t = 0; t < plan.kept; ++t) mean += p[t] * g[t];
        for (int64_t t = 0; t < positions; ++t) {
          const ScoreRow& row = plan.rows[static_cast<size_t>(t)];
          if (!row.zero) to[row_of(row, token) * H + h] += alpha * p[t] * ((t < plan.kept ? g[t] : T{0}) - mean);
        }
      }
    }
  });
}

class PatternFunction : public torch::autograd::Function<PatternFunction> {
 public:
  static Tensor forward(torch::autograd::AutogradContext* context, const Tensor& scores, const Tensor& tokens,
                        const c10::intrusive_ptr<Plan>& plan) {
    const int64_t R = tokens.size(0), B = tokens.size(1), H = scores.size(2);
    const Tensor out = at::empty({R, B, H * plan->kept}, scores.options());
    const Tensor softmaxes = at::empty({R, B, H, static_cast<int64_t>(plan->rows.size())}, scores.options());
    const bool is_float = scores.scalar_type() == at::kFloat;
    (is_float ? all_patterns<float> : all_patterns<double>)(scores, tokens, *plan, softmaxes, out);
    context->save_for_backward({softmaxes, tokens});
    context->saved_data["plan"] = at::IValue::make_capsule(plan);
    context->saved_data["shape"] = scores.sizes();
    return out;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const auto plan = context->saved_data["plan"].toCapsule();
    const Tensor result = at::zeros(context->saved_data["shape"].toIntVector(), saved[0].options());
    const bool is_float = result.scalar_type() == at::kFloat;
    (is_float ? add_gradients<float> : add_gradients<double>)(saved[0], saved[1], static_cast<const Plan&>(*plan),
                                                              gradients[0].contiguous(), result);
    return {result, Tensor(), Tensor()};
  }
};

/// The same in LibTorch's operators, for other devices.
Tensor plain_pattern(const Tensor& scores, const Tensor& tokens, const Plan& plan) {
  std::vector<Tensor> columns;
  for (const auto& row : plan.rows) {
    Tensor index = at::full_like(tokens.select(2, 0), row.first);
    for (size_t t = 0; t < row.strides.size(); ++t) {
      index = index + row.strides[t] * tokens.select(2, static_cast<int64_t>(t));
    }
    columns.push_back(row.zero ? at::zeros_like(columns.at(0)) : lookup(scores, index));
  }
  const Tensor pattern = at::stack(columns, -1).softmax(-1).narrow(-1, 0, plan.kept);  // [R,B,H,P]
  return (plan.alpha * pattern + (1 - plan.alpha)).flatten(2);
}

}  // namespace

Tensor attention_pattern(const Tensor& scores_RNH, const Tensor& tokens_RBT, const std::vector<ScoreRow>& rows,
                         int64_t kept, double alpha) {
  const auto plan = c10::make_intrusive<Plan>(rows, kept, alpha);
  if (!scores_RNH.is_cpu()) return plain_pattern(scores_RNH, tokens_RBT, *plan);
  return PatternFunction::apply(scores_RNH.contiguous(), tokens_RBT.contiguous(), plan);
}

}  // namespace logodds
