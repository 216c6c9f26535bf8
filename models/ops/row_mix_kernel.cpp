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

/// Where columns [begin, begin + kMixBlock) of a mixed row lie in the outputs: `count` of them at `offset`.
struct Window {
  int64_t offset;
  int64_t count;
};
HWY_INLINE Window window(int64_t begin, int64_t end, int64_t first, int64_t size) {
  return {begin - first, std::clamp<int64_t>(first + size - begin, 0, end - begin)};
}

template <class T>
void forward(const RowMix<T>& mix, int64_t begin, int64_t end, T* hidden_out, T* direct_out) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const auto zero = hn::Zero(d);
  HWY_ALIGN T sum[kMixBlock];
  const bool is_hidden = begin < mix.hidden_padded;
  const Window out = is_hidden ? window(begin, end, 0, mix.hidden) : window(begin, end, mix.hidden_padded, mix.direct);
  for (int64_t b = 0; b < mix.samples; ++b) {
    for (int64_t c = 0; c < end - begin; c += lanes) hn::Store(zero, d, sum + c);
    for (int64_t t = 0; t < mix.term_count; ++t) {
      const auto weight = hn::Set(d, weight_of(mix, mix.terms[t], b));
      const T* row = mix.table + row_of(mix, mix.terms[t], b) * mix.width + begin;
      for (int64_t c = 0; c < end - begin; c += lanes) {
        hn::Store(hn::MulAdd(weight, hn::LoadU(d, row + c), hn::Load(d, sum + c)), d, sum + c);
      }
    }
    if (is_hidden && mix.relu) {
      for (int64_t c = 0; c < end - begin; c += lanes) hn::Store(hn::Max(hn::Load(d, sum + c), zero), d, sum + c);
    }
    T* to = is_hidden ? hidden_out + b * mix.hidden : direct_out + b * mix.direct;
    std::copy_n(sum, out.count, to + out.offset);
  }
}

template <class T>
void backward(const RowMix<T>& mix, int64_t begin, int64_t end, const T* hidden_out, const T* hidden_gradient,
              const T* direct_gradient, T* table_gradient, T* weight_gradient) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  HWY_ALIGN T gradient[kMixBlock] = {};
  const bool is_hidden = begin < mix.hidden_padded;
  const Window in = is_hidden ? window(begin, end, 0, mix.hidden) : window(begin, end, mix.hidden_padded, mix.direct);
  const int64_t stride = is_hidden ? mix.hidden : mix.direct;
  const T* from = is_hidden ? hidden_gradient : direct_gradient;
  for (int64_t b = 0; b < mix.samples; ++b) {
    const T* source = from + b * stride + in.offset;
    if (is_hidden && mix.relu) {
      const T* output = hidden_out + b * stride + in.offset;
      for (int64_t c = 0; c < in.count; ++c) gradient[c] = output[c] > 0 ? source[c] : T{0};
    } else {
      std::copy_n(source, in.count, gradient);
    }
    for (int64_t t = 0; t < mix.term_count; ++t) {
      const MixTerm& term = mix.terms[t];
      const int64_t place = row_of(mix, term, b) * mix.width + begin;
      const auto weight = hn::Set(d, weight_of(mix, term, b));
      const T* row = mix.table + place;
      T* row_gradient = table_gradient + place;
      auto product = hn::Zero(d);
      for (int64_t c = 0; c < end - begin; c += lanes) {
        const auto g = hn::Load(d, gradient + c);
        product = hn::MulAdd(g, hn::LoadU(d, row + c), product);
        hn::StoreU(hn::MulAdd(weight, g, hn::LoadU(d, row_gradient + c)), d, row_gradient + c);
      }
      if (term.weight >= 0)
        weight_gradient[b * mix.weight_count + term.weight] = hn::GetLane(hn::SumOfLanes(d, product));
    }
  }
}

void forward_float(const RowMix<float>& mix, int64_t begin, int64_t end, float* hidden, float* direct) {
  forward(mix, begin, end, hidden, direct);
}
void forward_double(const RowMix<double>& mix, int64_t begin, int64_t end, double* hidden, double* direct) {
  forward(mix, begin, end, hidden, direct);
}
void backward_float(const RowMix<float>& mix, int64_t begin, int64_t end, const float* hidden,
                    const float* hidden_gradient, const float* direct_gradient, float* table_gradient,
                    float* weight_gradient) {
  backward(mix, begin, end, hidden, hidden_gradient, direct_gradient, table_gradient, weight_gradient);
}
void backward_double(const RowMix<double>& mix, int64_t begin, int64_t end, const double* hidden,
                     const double* hidden_gradient, const double* direct_gradient, double* table_gradient,
                     double* weight_gradient) {
  backward(mix, begin, end, hidden, hidden_gradient, direct_gradient, table_gradient, weight_gradient);
}

}  // namespace HWY_NAMESPACE
}  // namespace logodds
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace logodds {

HWY_EXPORT(forward_float);
HWY_EXPORT(forward_double);
HWY_EXPORT(backward_float);
HWY_EXPORT(backward_double);

void row_mix_forward(const RowMix<float>& mix, int64_t begin, int64_t end, float* hidden_out, float* direct_out) {
  HWY_DYNAMIC_DISPATCH(forward_float)(mix, begin, end, hidden_out, direct_out);
}
void row_mix_forward(const RowMix<double>& mix, int64_t begin, int64_t end, double* hidden_out, double* direct_out) {
  HWY_DYNAMIC_DISPATCH(forward_double)(mix, begin, end, hidden_out, direct_out);
}
void row_mix_backward(const RowMix<float>& mix, int64_t begin, int64_t end, const float* hidden_out,
                      const float* hidden_gradient, const float* direct_gradient, float* table_gradient,
                      float* weight_gradient) {
  HWY_DYNAMIC_DISPATCH(backward_float)
  (mix, begin, end, hidden_out, hidden_gradient, direct_gradient, table_gradient, weight_gradient);
}
void row_mix_backward(const RowMix<double>& mix, int64_t begin, int64_t end, const double* hidden_out,
                      const double* hidden_gradient, const double* direct_gradient, double* table_gradient,
                      double* weight_gradient) {
  HWY_DYNAMIC_DISPATCH(backward_double)
  (mix, begin, end, hidden_out, hidden_gradient, direct_gradient, table_gradient, weight_gradient);
}

}  // namespace logodds
#endif
