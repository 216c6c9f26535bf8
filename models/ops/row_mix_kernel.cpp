// Compiled once per instruction set by Highway, which picks one at run time.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "models/ops/row_mix_kernel.cpp"
// Highway wants this order.
// clang-format off
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// clang-format on

#include "models/ops/row_mix_kernel.h"

#include <algorithm>
#include <numeric>
#include <vector>

HWY_BEFORE_NAMESPACE();
namespace logodds {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

template <class T>
HWY_INLINE int64_t row_of(const RowMix<T>& mix, const MixTerm& term, int64_t sample) {
  return term.first_row + (term.position < 0 ? 0 : mix.tokens[sample * mix.positions + term.position]);
}

template <class T>
HWY_INLINE T weight_of(const RowMix<T>& mix, const MixTerm& term, int64_t sample) {
  return term.weight < 0 ? T{1} : mix.weights[sample * mix.weight_count + term.weight];
}

/// What one sample mixes: pointers to the columns from `begin` on.
template <class T>
struct Ingredient {
  const T* row;
  T weight;
};

/// kVectors vectors of one mixed row, kept in registers over the terms.
template <int kVectors, class T>
HWY_INLINE void mix_vectors(const std::vector<Ingredient<T>>& terms, const T* base, int64_t column, bool relu, T* out) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  hn::Vec<decltype(d)> sum[kVectors];
  for (int v = 0; v < kVectors; ++v) {
    sum[v] = base == nullptr ? hn::Zero(d) : hn::LoadU(d, base + column + v * lanes);
  }
  for (const auto& term : terms) {
    const auto weight = hn::Set(d, term.weight);
    for (int v = 0; v < kVectors; ++v) sum[v] = hn::MulAdd(weight, hn::LoadU(d, term.row + column + v * lanes), sum[v]);
  }
  for (int v = 0; v < kVectors; ++v) {
    hn::StoreU(relu ? hn::Max(hn::Zero(d), sum[v]) : sum[v], d, out + column + v * lanes);
  }
}

template <class T>
void forward(const RowMix<T>& mix, int64_t samples, int64_t begin, int64_t end, bool relu, T* out, int64_t stride) {
  constexpr int kVectors = 8;
  const auto lanes = static_cast<int64_t>(hn::Lanes(hn::ScalableTag<T>()));
  const int64_t columns = end - begin;
  const T* base = mix.base == nullptr ? nullptr : mix.base + begin;
  std::vector<Ingredient<T>> terms(static_cast<size_t>(mix.term_count));
  for (int64_t b = 0; b < samples; ++b, out += stride) {
    for (int64_t t = 0; t < mix.term_count; ++t) {
      terms[static_cast<size_t>(t)] = {mix.table + row_of(mix, mix.terms[t], b) * mix.width + begin,
                                       weight_of(mix, mix.terms[t], b)};
    }
    int64_t c = 0;
    for (; c + kVectors * lanes <= columns; c += kVectors * lanes) mix_vectors<kVectors>(terms, base, c, relu, out);
    for (; c + 2 * lanes <= columns; c += 2 * lanes) mix_vectors<2>(terms, base, c, relu, out);
    for (; c < columns; c += lanes) mix_vectors<1>(terms, base, c, relu, out);
  }
}

/// Samples of which some terms read the same rows: where their gradients begin, and the terms' weights.
inline constexpr int64_t kMaxGroup = 16;
template <int kTerms, class T>
struct Group {
  int64_t count;
  const T* gradient[kMaxGroup];
  T weight[kMaxGroup][kTerms];
  const T* row[kTerms];
  T* row_gradient[kTerms];
  int64_t weight_index[kTerms];
};

/// Table gradient, kVectors vectors from column c on: kept in registers over the samples.
template <int kVectors, int kTerms, class T>
HWY_INLINE void add_to_rows(const Group<kTerms, T>& group, int64_t c) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  hn::Vec<decltype(d)> sum[kTerms][kVectors];
  for (auto& row : sum) {
    for (auto& s : row) s = hn::Zero(d);
  }
  for (int64_t i = 0; i < group.count; ++i) {
    hn::Vec<decltype(d)> g[kVectors];
    for (int v = 0; v < kVectors; ++v) g[v] = hn::LoadU(d, group.gradient[i] + c + v * lanes);
    for (int t = 0; t < kTerms; ++t) {
      const auto weight = hn::Set(d, group.weight[i][t]);
      for (int v = 0; v < kVectors; ++v) sum[t][v] = hn::MulAdd(weight, g[v], sum[t][v]);
    }
  }
  for (int t = 0; t < kTerms; ++t) {
    T* row = group.row_gradient[t] + c;
    for (int v = 0; v < kVectors; ++v)
      hn::StoreU(hn::Add(hn::LoadU(d, row + v * lanes), sum[t][v]), d, row + v * lanes);
  }
}

/// Weight gradients of kSamples samples from number i on: the products of their gradients with the rows.
template <int kSamples, int kTerms, class T>
HWY_INLINE void add_to_weights(const Group<kTerms, T>& group, int64_t i, int64_t columns, T* const* weight_gradient) {
  const hn::ScalableTag<T> d;
  using Vector = hn::Vec<decltype(d)>;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  Vector product[kSamples][kTerms];
  for (auto& of_sample : product) {
    for (auto& p : of_sample) p = hn::Zero(d);
  }
  for (int64_t c = 0; c < columns; c += lanes) {
    Vector g[kSamples];
    for (int s = 0; s < kSamples; ++s) g[s] = hn::LoadU(d, group.gradient[i + s] + c);
    for (int t = 0; t < kTerms; ++t) {
      const auto row = hn::LoadU(d, group.row[t] + c);
      for (int s = 0; s < kSamples; ++s) product[s][t] = hn::MulAdd(g[s], row, product[s][t]);
    }
  }
  for (int s = 0; s < kSamples; ++s) {
    for (int t = 0; t < kTerms; ++t) {
      weight_gradient[i + s][group.weight_index[t]] += hn::GetLane(hn::SumOfLanes(d, product[s][t]));
    }
  }
}

/// Gradients of kTerms terms, of samples that have the same token there; pointers are to column `begin`.
template <int kTerms, class T>
HWY_INLINE void spread(const RowMix<T>& mix, const MixTerm* terms, const int64_t* samples, int64_t count, int64_t begin,
                       int64_t columns, const T* gradient, int64_t stride, T* table_gradient, T* weight_gradient) {
  constexpr int kVectors = kTerms > 2 ? 2 : 4;
  const auto lanes = static_cast<int64_t>(hn::Lanes(hn::ScalableTag<T>()));
  Group<kTerms, T> group;
  group.count = count;
  for (int t = 0; t < kTerms; ++t) {
    const int64_t place = row_of(mix, terms[t], samples[0]) * mix.width + begin;
    group.row[t] = mix.table + place;
    group.row_gradient[t] = table_gradient + place;
    group.weight_index[t] = terms[t].weight;
  }
  for (int64_t i = 0; i < count; ++i) {
    group.gradient[i] = gradient + samples[i] * stride;
    for (int t = 0; t < kTerms; ++t) group.weight[i][t] = weight_of(mix, terms[t], samples[i]);
  }
  int64_t c = 0;
  for (; c + kVectors * lanes <= columns; c += kVectors * lanes) add_to_rows<kVectors>(group, c);
  for (; c < columns; c += lanes) add_to_rows<1>(group, c);
  if (terms[0].weight < 0) return;
  T* weights[kMaxGroup];
  for (int64_t i = 0; i < count; ++i) weights[i] = weight_gradient + samples[i] * mix.weight_count;
  int64_t i = 0;
  for (; i + 2 <= count; i += 2) add_to_weights<2>(group, i, columns, weights);
  if (i < count) add_to_weights<1>(group, i, columns, weights);
}

/// How many of the terms from `first` on can be spread together: the same token decides their rows, which differ, and
/// all have weights or none has.
template <class T>
int64_t alike(const RowMix<T>& mix, int64_t first, int64_t at_most) {
  const MixTerm* terms = mix.terms + first;
  int64_t count = 1;
  for (; count < std::min(at_most, mix.term_count - first); ++count) {
    const MixTerm& term = terms[count];
    if (term.position != terms[0].position || (term.weight < 0) != (terms[0].weight < 0)) break;
    if (std::any_of(terms, terms + count, [&](const MixTerm& other) { return other.first_row == term.first_row; }))
      break;
  }
  return count;
}

/// Token by token, so that a table row and its gradient are read and written once for all samples of a call that have
/// the token.
template <class T>
void backward(const RowMix<T>& mix, int64_t samples, int64_t begin, int64_t end, const T* gradient, int64_t stride,
              T* table_gradient, T* base_gradient, T* weight_gradient) {
  std::vector<int64_t> order(static_cast<size_t>(samples));
  for (int64_t t = 0; t < mix.term_count;) {
    const MixTerm* terms = mix.terms + t;
    const int64_t count = alike(mix, t, 4);
    if (t == 0 || terms[0].position != terms[-1].position) {
      std::iota(order.begin(), order.end(), 0);
      std::stable_sort(order.begin(), order.end(),
                       [&](int64_t a, int64_t b) { return row_of(mix, terms[0], a) < row_of(mix, terms[0], b); });
    }
    for (size_t i = 0; i < order.size();) {
      size_t j = i;
      while (j < std::min(i + kMaxGroup, order.size()) &&
             row_of(mix, terms[0], order[j]) == row_of(mix, terms[0], order[i]))
        ++j;
      const auto spread_terms = [&]<int kTerms>(std::integral_constant<int, kTerms>) {
        spread<kTerms>(mix, terms, order.data() + i, static_cast<int64_t>(j - i), begin, end - begin, gradient, stride,
                       table_gradient, weight_gradient);
      };
      switch (count) {
        case 4:
          spread_terms(std::integral_constant<int, 4>());
          break;
        case 3:
          spread_terms(std::integral_constant<int, 3>());
          break;
        case 2:
          spread_terms(std::integral_constant<int, 2>());
          break;
        default:
          spread_terms(std::integral_constant<int, 1>());
      }
      i = j;
    }
    t += count;
  }
  if (mix.base == nullptr) return;
  std::vector<T> sum(static_cast<size_t>(end - begin));  // of this call's samples first: that rounds less
  for (int64_t b = 0; b < samples; ++b) {
    for (size_t c = 0; c < sum.size(); ++c) sum[c] += gradient[b * stride + static_cast<int64_t>(c)];
  }
  for (size_t c = 0; c < sum.size(); ++c) base_gradient[begin + static_cast<int64_t>(c)] += sum[c];
}

RowMixKernels<float> row_mix_float() { return {forward<float>, backward<float>}; }
RowMixKernels<double> row_mix_double() { return {forward<double>, backward<double>}; }

}  // namespace HWY_NAMESPACE
}  // namespace logodds
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace logodds {

HWY_EXPORT(row_mix_float);
HWY_EXPORT(row_mix_double);

template <>
const RowMixKernels<float>& row_mix_kernels<float>() {
  static const RowMixKernels<float> kernels = HWY_DYNAMIC_DISPATCH(row_mix_float)();
  return kernels;
}
template <>
const RowMixKernels<double>& row_mix_kernels<double>() {
  static const RowMixKernels<double> kernels = HWY_DYNAMIC_DISPATCH(row_mix_double)();
  return kernels;
}

}  // namespace logodds
#endif
