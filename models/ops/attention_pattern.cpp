#include "models/ops/attention_pattern.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>

#include "models/ops/batched.h"

namespace logodds {

namespace {

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
void all_patterns(const Tensor& scores, const Tensor& tokens, const AttentionPattern& plan, const Tensor& softmaxes,
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
void add_gradients(const Tensor& softmaxes, const Tensor& tokens, const AttentionPattern& plan, const Tensor& gradient,
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

/// Row numbers [R,B] of one position's scores.
Tensor row_numbers(const ScoreRow& row, const Tensor& tokens) {
  Tensor index = at::full_like(tokens.select(2, 0), row.first);
  for (size_t t = 0; t < row.strides.size(); ++t)
    index = index + row.strides[t] * tokens.select(2, static_cast<int64_t>(t));
  return index;
}

}  // namespace

AttentionPattern::Value AttentionPattern::operator()(const Tensor& scores_RNH, const Tensor& tokens_RBT) const {
  const int64_t R = tokens_RBT.size(0), B = tokens_RBT.size(1), H = scores_RNH.size(2);
  if (scores_RNH.is_cpu()) {
    const Value value{at::empty({R, B, H * kept}, scores_RNH.options()),
                      at::empty({R, B, H, static_cast<int64_t>(rows.size())}, scores_RNH.options())};
    const bool is_float = scores_RNH.scalar_type() == at::kFloat;
    (is_float ? all_patterns<float> : all_patterns<double>)(scores_RNH.contiguous(), tokens_RBT.contiguous(), *this,
                                                            value.softmax, value.weights);
    return value;
  }
  std::vector<Tensor> scores;
  for (const auto& row : rows) {
    scores.push_back(row.zero ? at::zeros({R, B, H}, scores_RNH.options())
                              : lookup(scores_RNH, row_numbers(row, tokens_RBT)));
  }
  const Tensor softmax = at::stack(scores, -1).softmax(-1);
  return {(alpha * softmax.narrow(-1, 0, kept) + (1 - alpha)).flatten(2), softmax};
}

Tensor AttentionPattern::gradient(const Tensor& softmax, const Tensor& tokens_RBT, const Tensor& weight_gradient,
                                  int64_t N) const {
  const int64_t R = softmax.size(0), B = softmax.size(1), H = softmax.size(2);
  const Tensor result = at::zeros({R, N, H}, softmax.options());
  if (softmax.is_cpu()) {
    const bool is_float = softmax.scalar_type() == at::kFloat;
    (is_float ? add_gradients<float> : add_gradients<double>)(softmax, tokens_RBT.contiguous(), *this,
                                                              weight_gradient.contiguous(), result);
    return result;
  }
  const Tensor g = at::constant_pad_nd(weight_gradient.view({R, B, H, kept}), {0, softmax.size(3) - kept});
  const Tensor gradient = alpha * softmax * (g - (softmax * g).sum(-1, /*keepdim=*/true));
  for (size_t t = 0; t < rows.size(); ++t) {
    if (rows[t].zero) continue;
    const Tensor index = row_numbers(rows[t], tokens_RBT).unsqueeze(-1).expand({R, B, H});
    result.scatter_add_(1, index, gradient.select(-1, static_cast<int64_t>(t)));
  }
  return result;
}

}  // namespace logodds
