#include "models/ops/attention_pattern.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <type_traits>

#include "core/device.h"
#include "models/ops/attention_pattern_loops.h"
#include "models/ops/sample_groups.h"

namespace logodds {

namespace {

int64_t row_of(const ScoreRow& row, const int64_t* tokens) {
  int64_t index = row.first;
  for (size_t t = 0; t < row.strides.size(); ++t) index += row.strides[t] * tokens[t];
  return index;
}

/// Where one sample's scores stand, [positions]: the row's heads, or `zero` where the score is 0.
template <class T>
void find_rows(const std::vector<ScoreRow>& rows, T* table, int64_t heads, const int64_t* tokens, T* zero, T** found) {
  for (size_t t = 0; t < rows.size(); ++t) found[t] = rows[t].zero ? zero : table + row_of(rows[t], tokens) * heads;
}

/// One run's e^(s - shift) in float64, [N,H], and those of the score 0, [H]: then a softmax takes no exponential per
/// sample. Nothing where the scores lie too far apart for that, or where the table is larger than the samples.
struct Exponentials {
  std::vector<double> of_rows, of_zero;

  template <class T>
  static std::optional<Exponentials> of(const T* scores, int64_t N, int64_t heads, int64_t samples) {
    constexpr double kRange = 600;
    if (N > samples) return std::nullopt;
    Exponentials result{std::vector<double>(N * heads), std::vector<double>(heads)};
    for (int64_t h = 0; h < heads; ++h) {
      double least = 0, largest = 0;
      for (int64_t n = 0; n < N; ++n) {
        const double score = scores[n * heads + h];
        if (!std::isfinite(score)) return std::nullopt;
        least = std::min(least, score), largest = std::max(largest, score);
      }
      if (largest - least > kRange) return std::nullopt;
      for (int64_t n = 0; n < N; ++n) result.of_rows[n * heads + h] = std::exp(scores[n * heads + h] - largest);
      result.of_zero[h] = std::exp(-largest);
    }
    return result;
  }
};

/// One sample's softmax over positions, [heads, positions], from e^s at `found`.
template <class T, class Positions>
void normalise(const double* const* found, Positions positions, int64_t heads, T* out) {
  for (int64_t h = 0; h < heads; ++h) {
    double sum = 0;
    for (int64_t t = 0; t < positions; ++t) sum += found[t][h];
    const double inverse = 1 / sum;
    for (int64_t t = 0; t < positions; ++t) *out++ = static_cast<T>(found[t][h] * inverse);
  }
}

/// The same from the scores.
template <class T>
void softmax(const T* const* found, int64_t positions, int64_t heads, T* out) {
  for (int64_t h = 0; h < heads; ++h, out += positions) {
    for (int64_t t = 0; t < positions; ++t) out[t] = found[t][h];
    const T largest = *std::max_element(out, out + positions);
    T sum = 0;
    for (int64_t t = 0; t < positions; ++t) sum += out[t] = std::exp(out[t] - largest);
    for (int64_t t = 0; t < positions; ++t) out[t] /= sum;
  }
}

/// Work with the number of positions, a constant where it is one of the usual.
template <class Work>
void with_positions(int64_t positions, const Work& work) {
  if (positions == 2) return work(std::integral_constant<int64_t, 2>());
  if (positions == 3) return work(std::integral_constant<int64_t, 3>());
  work(positions);
}

/// softmax [R,B,H,positions] and what `attention_pattern` makes of it.
template <class T>
void all_patterns(const Tensor& scores, const Tensor& tokens, const AttentionPattern& plan, const Tensor& softmaxes,
                  const Tensor& out) {
  const int64_t R = tokens.size(0), B = tokens.size(1), token_count = tokens.size(2), N = scores.size(1),
                H = scores.size(2);
  const auto positions = static_cast<int64_t>(plan.rows.size());
  const auto alpha = static_cast<T>(plan.alpha), rest = static_cast<T>(1 - plan.alpha);
  for (int64_t run = 0; run < R; ++run) {
    const T* table = scores.const_data_ptr<T>() + run * scores.stride(0);
    const auto exponentials = Exponentials::of(table, N, H, B);
    at::parallel_for(run * B, (run + 1) * B, 256, [&](int64_t begin, int64_t end) {
      const std::vector<T> zero(H);
      std::vector<const T*> of_scores(plan.rows.size());
      std::vector<const double*> of_exponentials(plan.rows.size());
      T* pattern = softmaxes.mutable_data_ptr<T>() + begin * H * positions;
      T* kept = out.mutable_data_ptr<T>() + begin * H * plan.kept;
      const int64_t* token = tokens.const_data_ptr<int64_t>() + begin * token_count;
      with_positions(positions, [&](auto count) {
        for (int64_t i = begin; i < end; ++i, token += token_count) {
          if (exponentials) {
            find_rows(plan.rows, exponentials->of_rows.data(), H, token, exponentials->of_zero.data(),
                      of_exponentials.data());
            normalise(of_exponentials.data(), count, H, pattern);
          } else {
            find_rows(plan.rows, table, H, token, zero.data(), of_scores.data());
            softmax(of_scores.data(), count, H, pattern);
          }
          for (int64_t h = 0; h < H; ++h, pattern += count) {
            for (int64_t t = 0; t < plan.kept; ++t) *kept++ = alpha * pattern[t] + rest;
          }
        }
      });
    });
  }
}

/// ∂/∂s_t = α p_t (g_t - Σ_u p_u g_u), with g = 0 for positions that are not kept; run by run, samples in order.
template <class T>
void add_gradients(const Tensor& softmaxes, const Tensor& tokens, const AttentionPattern& plan, const Tensor& gradient,
                   const Tensor& result) {
  const int64_t B = tokens.size(1), token_count = tokens.size(2), H = result.size(2), run_size = result.stride(0);
  const auto positions = static_cast<int64_t>(plan.rows.size());
  const auto alpha = static_cast<T>(plan.alpha);
  at::parallel_for(0, tokens.size(0), 1, [&](int64_t begin, int64_t end) {
    std::vector<T*> found(plan.rows.size());
    const T *p = softmaxes.const_data_ptr<T>() + begin * B * H * positions,
            *g = gradient.const_data_ptr<T>() + begin * B * H * plan.kept;
    const int64_t* token = tokens.const_data_ptr<int64_t>() + begin * B * token_count;
    for (int64_t i = begin * B; i < end * B; ++i, token += token_count) {
      find_rows<T>(plan.rows, result.mutable_data_ptr<T>() + i / B * run_size, H, token, nullptr, found.data());
      for (int64_t h = 0; h < H; ++h, p += positions, g += plan.kept) {
        T mean = 0;
        for (int64_t t = 0; t < plan.kept; ++t) mean += p[t] * g[t];
        for (int64_t t = 0; t < positions; ++t) {
          if (found[t] != nullptr) found[t][h] += alpha * p[t] * ((t < plan.kept ? g[t] : T{0}) - mean);
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

ScoreRowList list_of(const std::vector<ScoreRow>& rows) {
  if (rows.size() > kMaxScoreRows) throw Error("too many positions for attention_pattern", ExitCode::internal);
  ScoreRowList list{static_cast<int>(rows.size()), {}};
  for (size_t t = 0; t < rows.size(); ++t) {
    const ScoreRow& row = rows[t];
    if (row.strides.size() > kMaxScoreTokens) throw Error("too many tokens for attention_pattern", ExitCode::internal);
    list.rows[t] = {row.zero, static_cast<int>(row.strides.size()), row.first, {}};
    std::ranges::copy(row.strides, list.rows[t].strides);
  }
  return list;
}

template <class T>
void patterns_by_loops(const Tensor& scores, const Tensor& tokens, const AttentionPattern& plan,
                       const Tensor& softmaxes, const Tensor& out) {
  run(PatternForward<T>{.list = list_of(plan.rows),
                        .samples = tokens.size(1),
                        .table_rows = scores.size(1),
                        .heads = scores.size(2),
                        .token_count = tokens.size(2),
                        .kept = plan.kept,
                        .alpha = static_cast<T>(plan.alpha),
                        .scores = scores.const_data_ptr<T>(),
                        .tokens = tokens.const_data_ptr<int64_t>(),
                        .softmaxes = softmaxes.mutable_data_ptr<T>(),
                        .out = out.mutable_data_ptr<T>()},
      tokens.size(0), place_of(scores));
}

/// The rows of scores that samples read, [R, groups, B], a group for every position that reads any.
Tensor keys_of(const AttentionPattern& plan, const Tensor& tokens) {
  std::vector<Tensor> keys;
  for (const auto& row : plan.rows) {
    if (!row.zero) keys.push_back(row_numbers(row, tokens));
  }
  return at::stack(keys, 1);
}

template <class T>
void gradients_by_loops(const Tensor& softmaxes, const Tensor& tokens, const AttentionPattern& plan,
                        const Tensor& gradient, const Tensor& result) {
  const SampleGroups groups = group_samples(keys_of(plan, tokens), result.size(1));
  PatternGradient<T> work{.samples = tokens.size(1),
                          .table_rows = result.size(1),
                          .heads = result.size(2),
                          .positions = static_cast<int64_t>(plan.rows.size()),
                          .kept = plan.kept,
                          .alpha = static_cast<T>(plan.alpha),
                          .groups = 0,
                          .group_position = {},
                          .order = groups.order_RGB.const_data_ptr<int64_t>(),
                          .starts = groups.starts_RGK.const_data_ptr<int64_t>(),
                          .softmaxes = softmaxes.const_data_ptr<T>(),
                          .gradient = gradient.const_data_ptr<T>(),
                          .out = result.mutable_data_ptr<T>()};
  for (size_t t = 0; t < plan.rows.size(); ++t) {
    if (!plan.rows[t].zero) work.group_position[work.groups++] = static_cast<int64_t>(t);
  }
  run(work, tokens.size(0), place_of(result));
}

/// Both ways of computing both directions have these forms.
using Forward = void (*)(const Tensor& scores, const Tensor& tokens, const AttentionPattern&, const Tensor& softmaxes,
                         const Tensor& weights);
using Backward = void (*)(const Tensor& softmaxes, const Tensor& tokens, const AttentionPattern&,
                          const Tensor& weight_gradient, const Tensor& result);

AttentionPattern::Value computed(const AttentionPattern& plan, const Tensor& scores, const Tensor& tokens,
                                 Forward of_float, Forward of_double) {
  const int64_t R = tokens.size(0), B = tokens.size(1), H = scores.size(2);
  const AttentionPattern::Value value{at::empty({R, B, H * plan.kept}, scores.options()),
                                      at::empty({R, B, H, static_cast<int64_t>(plan.rows.size())}, scores.options())};
  (scores.scalar_type() == at::kFloat ? of_float : of_double)(scores.contiguous(), tokens.contiguous(), plan,
                                                              value.softmax, value.weights);
  return value;
}

Tensor gradient_of(const AttentionPattern& plan, const Tensor& softmax, const Tensor& tokens,
                   const Tensor& weight_gradient, int64_t N, Backward of_float, Backward of_double) {
  const Tensor result = at::zeros({softmax.size(0), N, softmax.size(2)}, softmax.options());
  (softmax.scalar_type() == at::kFloat ? of_float : of_double)(softmax, tokens.contiguous(), plan,
                                                               weight_gradient.contiguous(), result);
  return result;
}

}  // namespace

AttentionPattern::Value AttentionPattern::operator()(const Tensor& scores_RNH, const Tensor& tokens_RBT) const {
  if (!scores_RNH.is_cpu()) return by_loops(scores_RNH, tokens_RBT);
  return computed(*this, scores_RNH, tokens_RBT, all_patterns<float>, all_patterns<double>);
}

AttentionPattern::Value AttentionPattern::by_loops(const Tensor& scores_RNH, const Tensor& tokens_RBT) const {
  return computed(*this, scores_RNH, tokens_RBT, patterns_by_loops<float>, patterns_by_loops<double>);
}

Tensor AttentionPattern::gradient(const Tensor& softmax, const Tensor& tokens_RBT, const Tensor& weight_gradient,
                                  int64_t N) const {
  if (!softmax.is_cpu()) return gradient_by_loops(softmax, tokens_RBT, weight_gradient, N);
  return gradient_of(*this, softmax, tokens_RBT, weight_gradient, N, add_gradients<float>, add_gradients<double>);
}

Tensor AttentionPattern::gradient_by_loops(const Tensor& softmax, const Tensor& tokens_RBT,
                                           const Tensor& weight_gradient, int64_t N) const {
  return gradient_of(*this, softmax, tokens_RBT, weight_gradient, N, gradients_by_loops<float>,
                     gradients_by_loops<double>);
}

}  // namespace logodds
