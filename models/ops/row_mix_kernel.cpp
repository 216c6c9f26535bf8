// Compiled once per instruction set by Highway, which picks one at run time.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "models/ops/row_mix_kernel.cpp"
// Arrays of vectors need vectors of a known size.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
// Highway wants this order.
// clang-format off
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// clang-format on

#include "models/ops/row_mix_kernel.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>
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

/// Vectors that stay in registers beside those of four terms: of 32 registers or of 16.
constexpr int kMostTerms = 4;
constexpr int kMostVectors = HWY_TARGET <= HWY_AVX3 ? 4 : 2;
constexpr int kMostSamples = HWY_TARGET <= HWY_AVX3 ? 4 : 2;

template <class T>
int64_t lanes() {
  return static_cast<int64_t>(hn::Lanes(hn::ScalableTag<T>()));
}

/// How many of the terms from `first` on can be taken together: the same token decides their rows, which differ, and
/// all have weights or none has.
template <class T>
int64_t alike(const RowMix<T>& mix, int64_t first) {
  const MixTerm* terms = mix.terms + first;
  int64_t count = 1;
  for (; count < std::min<int64_t>(kMostTerms, mix.term_count - first); ++count) {
    const MixTerm& term = terms[count];
    if (term.position != terms[0].position || (term.weight < 0) != (terms[0].weight < 0)) break;
    if (std::any_of(terms, terms + count, [&](const MixTerm& other) { return other.first_row == term.first_row; }))
      break;
  }
  return count;
}

/// Samples in the order of the rows that a term reads, and where those of another row begin.
struct Order {
  std::vector<int64_t> samples, starts;

  template <class T>
  Order(const RowMix<T>& mix, const MixTerm& term, int64_t count) : samples(static_cast<size_t>(count)) {
    int64_t least = std::numeric_limits<int64_t>::max(), most = 0;
    for (int64_t b = 0; b < count; ++b) {
      least = std::min(least, row_of(mix, term, b));
      most = std::max(most, row_of(mix, term, b));
    }
    std::vector<int64_t> next(static_cast<size_t>(std::max<int64_t>(most - least, 0) + 2));
    for (int64_t b = 0; b < count; ++b) ++next[static_cast<size_t>(row_of(mix, term, b) - least + 1)];
    for (size_t row = 1; row < next.size(); ++row) {
      if (next[row] > 0) starts.push_back(next[row - 1]);
      next[row] += next[row - 1];
    }
    starts.push_back(count);
    for (int64_t b = 0; b < count; ++b) {
      samples[static_cast<size_t>(next[static_cast<size_t>(row_of(mix, term, b) - least)]++)] = b;
    }
  }
};

/// Calls `work(std::integral_constant<int, count>())`.
template <int kMost = kMostTerms, class Work>
HWY_INLINE void with_count(int64_t count, const Work& work) {
  if (count == kMost) return work(std::integral_constant<int, kMost>());
  if constexpr (kMost > 1) with_count<kMost - 1>(count, work);
}

/// What the samples of a call mix, in the order of the row of `kept` terms that are alike; pointers are to the first
/// column.
template <class T>
struct Ingredients {
  int64_t kept, others;
  std::vector<const T*> kept_rows, other_rows;  ///< of each group of samples; of each sample
  std::vector<T> weights;                       ///< of each sample: those of the kept terms, then the others'

  Ingredients(const RowMix<T>& mix, int64_t first, int64_t count, const Order& order, int64_t begin)
      : kept(count),
        others(mix.term_count - count),
        kept_rows((order.starts.size() - 1) * static_cast<size_t>(kept)),
        other_rows(order.samples.size() * static_cast<size_t>(others)),
        weights(order.samples.size() * static_cast<size_t>(mix.term_count)) {
    for (int64_t t = 0; t < kept; ++t) {
      const MixTerm& term = mix.terms[first + t];
      for (size_t group = 0; group + 1 < order.starts.size(); ++group) {
        const int64_t b = order.samples[static_cast<size_t>(order.starts[group])];
        kept_rows[group * static_cast<size_t>(kept) + static_cast<size_t>(t)] = pointer(mix, term, b, begin);
      }
      put_weights(mix, term, order, t);
    }
    for (int64_t t = 0; t < others; ++t) {
      const MixTerm& term = mix.terms[t < first ? t : t + kept];
      for (size_t i = 0; i < order.samples.size(); ++i) {
        other_rows[i * static_cast<size_t>(others) + static_cast<size_t>(t)] =
            pointer(mix, term, order.samples[i], begin);
      }
      put_weights(mix, term, order, kept + t);
    }
  }

 private:
  static const T* pointer(const RowMix<T>& mix, const MixTerm& term, int64_t sample, int64_t begin) {
    return mix.table + row_of(mix, term, sample) * mix.width + begin;
  }
  void put_weights(const RowMix<T>& mix, const MixTerm& term, const Order& order, int64_t place) {
    T* to = weights.data() + place;
    for (const int64_t b : order.samples) {
      *to = weight_of(mix, term, b);
      to += mix.term_count;
    }
  }
};

/// kVectors vectors of the mixed rows of all samples, from column c on. The kept terms' rows are in registers as long
/// as samples share them; the others' are few enough to stay in the first-level cache.
template <int kTerms, int kVectors, class T>
HWY_INLINE void mix_columns(const Ingredients<T>& from, const Order& order, const T* base, int64_t c, bool relu, T* out,
                            int64_t stride) {
  const hn::ScalableTag<T> d;
  using Vector = hn::Vec<decltype(d)>;
  const int64_t size = lanes<T>(), others = from.others;
  Vector start[kVectors];
  for (int v = 0; v < kVectors; ++v) start[v] = base == nullptr ? hn::Zero(d) : hn::LoadU(d, base + c + v * size);
  const T *weight = from.weights.data(), *const *kept_row = from.kept_rows.data(),
          *const *other_row = from.other_rows.data();
  for (size_t group = 0; group + 1 < order.starts.size(); ++group, kept_row += kTerms) {
    Vector kept[kTerms][kVectors];
    for (int t = 0; t < kTerms; ++t) {
      for (int v = 0; v < kVectors; ++v) kept[t][v] = hn::LoadU(d, kept_row[t] + c + v * size);
    }
    for (int64_t i = order.starts[group]; i < order.starts[group + 1]; ++i) {
      Vector sum[kVectors];
      for (int v = 0; v < kVectors; ++v) sum[v] = start[v];
      for (int t = 0; t < kTerms; ++t) {
        const auto factor = hn::Set(d, *weight++);
        for (int v = 0; v < kVectors; ++v) sum[v] = hn::MulAdd(factor, kept[t][v], sum[v]);
      }
      for (int64_t t = 0; t < others; ++t) {
        const auto factor = hn::Set(d, *weight++);
        const T* row = *other_row++ + c;
        for (int v = 0; v < kVectors; ++v) sum[v] = hn::MulAdd(factor, hn::LoadU(d, row + v * size), sum[v]);
      }
      T* to = out + order.samples[static_cast<size_t>(i)] * stride + c;
      for (int v = 0; v < kVectors; ++v) hn::StoreU(relu ? hn::Max(hn::Zero(d), sum[v]) : sum[v], d, to + v * size);
    }
  }
}

template <class T>
void forward(const RowMix<T>& mix, int64_t samples, int64_t begin, int64_t end, int64_t relu_end, T* out,
             int64_t stride) {
  int64_t first = 0;  // of the most terms that are alike
  for (int64_t t = 0; t < mix.term_count; t += alike(mix, t)) {
    if (alike(mix, t) > alike(mix, first)) first = t;
  }
  const int64_t count = alike(mix, first);
  const Order order(mix, mix.terms[first], samples);
  const Ingredients<T> from(mix, first, count, order, begin);
  const T* base = mix.base == nullptr ? nullptr : mix.base + begin;
  const auto mix_range = [&](int64_t c, int64_t last, bool relu) {
    for (int64_t vectors = 0; c < last; c += vectors * lanes<T>()) {
      vectors = std::min<int64_t>(kMostVectors, (last - c) / lanes<T>());
      with_count(count, [&]<int kTerms>(std::integral_constant<int, kTerms>) {
        with_count<kMostVectors>(vectors, [&]<int kVectors>(std::integral_constant<int, kVectors>) {
          mix_columns<kTerms, kVectors>(from, order, base, c, relu, out, stride);
        });
      });
    }
  };
  const int64_t middle = std::clamp(relu_end, begin, end) - begin;
  mix_range(0, middle, /*relu=*/true);
  mix_range(middle, end - begin, /*relu=*/false);
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
  bool fresh[kTerms];  ///< nothing was put there yet
  int64_t weight_index[kTerms];
};

/// Table gradient, kVectors vectors from column c on: kept in registers over the samples.
template <int kVectors, int kTerms, class T>
HWY_INLINE void add_to_rows(const Group<kTerms, T>& group, int64_t c) {
  const hn::ScalableTag<T> d;
  hn::Vec<decltype(d)> sum[kTerms][kVectors];
  for (auto& row : sum) {
    for (auto& s : row) s = hn::Zero(d);
  }
  for (int64_t i = 0; i < group.count; ++i) {
    hn::Vec<decltype(d)> g[kVectors];
    for (int v = 0; v < kVectors; ++v) g[v] = hn::LoadU(d, group.gradient[i] + c + v * lanes<T>());
    for (int t = 0; t < kTerms; ++t) {
      const auto weight = hn::Set(d, group.weight[i][t]);
      for (int v = 0; v < kVectors; ++v) sum[t][v] = hn::MulAdd(weight, g[v], sum[t][v]);
    }
  }
  for (int t = 0; t < kTerms; ++t) {
    T* row = group.row_gradient[t] + c;
    for (int v = 0; v < kVectors; ++v, row += lanes<T>()) {
      hn::StoreU(group.fresh[t] ? sum[t][v] : hn::Add(hn::LoadU(d, row), sum[t][v]), d, row);
    }
  }
}

/// Weight gradients of kSamples samples from number i on: the products of their gradients with the rows.
template <int kSamples, int kTerms, class T>
HWY_INLINE void add_to_weights(const Group<kTerms, T>& group, int64_t i, int64_t columns, T* const* weight_gradient) {
  const hn::ScalableTag<T> d;
  using Vector = hn::Vec<decltype(d)>;
  Vector product[kSamples][kTerms];
  for (auto& of_sample : product) {
    for (auto& p : of_sample) p = hn::Zero(d);
  }
  for (int64_t c = 0; c < columns; c += lanes<T>()) {
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
                       int64_t columns, const T* gradient, int64_t stride, T* table_gradient, bool* filled,
                       T* weight_gradient) {
  Group<kTerms, T> group;
  group.count = count;
  for (int t = 0; t < kTerms; ++t) {
    const int64_t row = row_of(mix, terms[t], samples[0]), place = row * mix.width + begin;
    group.row[t] = mix.table + place;
    group.row_gradient[t] = table_gradient + place;
    group.fresh[t] = filled != nullptr && !std::exchange(filled[row], true);
    group.weight_index[t] = terms[t].weight;
  }
  for (int64_t i = 0; i < count; ++i) {
    group.gradient[i] = gradient + samples[i] * stride;
    for (int t = 0; t < kTerms; ++t) group.weight[i][t] = weight_of(mix, terms[t], samples[i]);
  }
  for (int64_t c = 0, vectors = 0; c < columns; c += vectors * lanes<T>()) {
    vectors = std::min<int64_t>(kMostVectors, (columns - c) / lanes<T>());
    with_count<kMostVectors>(
        vectors, [&]<int kVectors>(std::integral_constant<int, kVectors>) { add_to_rows<kVectors>(group, c); });
  }
  if (terms[0].weight < 0) return;
  T* weights[kMaxGroup];
  for (int64_t i = 0; i < count; ++i) weights[i] = weight_gradient + samples[i] * mix.weight_count;
  for (int64_t i = 0; i < count; i += kMostSamples) {
    with_count<kMostSamples>(std::min<int64_t>(count - i, kMostSamples),
                             [&]<int kSamples>(std::integral_constant<int, kSamples>) {
                               add_to_weights<kSamples>(group, i, columns, weights);
                             });
  }
}

/// The sum of this call's samples first: that rounds less.
template <class T>
void add_to_base(int64_t samples, int64_t columns, const T* gradient, int64_t stride, T* base_gradient) {
  const hn::ScalableTag<T> d;
  for (int64_t c = 0; c < columns; c += lanes<T>()) {
    auto sum = hn::Zero(d);
    for (int64_t b = 0; b < samples; ++b) sum = hn::Add(sum, hn::LoadU(d, gradient + b * stride + c));
    hn::StoreU(hn::Add(hn::LoadU(d, base_gradient + c), sum), d, base_gradient + c);
  }
}

/// Token by token, so that a table row and its gradient are read and written once for all samples of a call that have
/// the token.
template <class T>
void backward(const RowMix<T>& mix, int64_t samples, int64_t begin, int64_t end, const T* gradient, int64_t stride,
              T* table_gradient, bool* filled, T* base_gradient, T* weight_gradient) {
  std::optional<Order> order;
  for (int64_t t = 0, count = 0; t < mix.term_count; t += count) {
    const MixTerm* terms = mix.terms + t;
    count = alike(mix, t);
    if (t == 0 || terms[0].position != terms[-1].position) order.emplace(mix, terms[0], samples);
    with_count(count, [&]<int kTerms>(std::integral_constant<int, kTerms>) {
      for (size_t group = 0; group + 1 < order->starts.size(); ++group) {
        const int64_t last = order->starts[group + 1];
        for (int64_t i = order->starts[group]; i < last; i += kMaxGroup) {
          spread<kTerms>(mix, terms, order->samples.data() + i, std::min(last - i, kMaxGroup), begin, end - begin,
                         gradient, stride, table_gradient, filled, weight_gradient);
        }
      }
    });
  }
  if (mix.base != nullptr) add_to_base(samples, end - begin, gradient, stride, base_gradient + begin);
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
