#include "models/ops/tile_step.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <span>

#include "models/ops/feature_layer.h"
#include "models/ops/gradient_shares.h"
#include "models/ops/tile_kernel.h"
#include "models/ops/together.h"

namespace logodds {

namespace {

/// Row stride of a tile's buffers: an odd number of kColumnAlign's, so that a column of a tile does not fall into few
/// sets of the cache, as it would at a power of two.
constexpr int64_t tile_stride(int64_t columns) { return (aligned(columns) / kColumnAlign | 1) * kColumnAlign; }

/// One run's operands, with the weights packed both ways, and the buffers of one tile.
template <class T>
class Tile {
 public:
  /// `first_layer`: of `first_layer_of`. `kept`: of features, where the first layer's gradients are to stay, [R,B,·] of
  /// aligned rows; then that of its W is not made here.
  Tile(const Folded& folded, const Dense& first_layer, const Inputs& inputs, int64_t classes, bool backward,
       const Tensor& kept = {})
      : folded_(folded),
        inputs_(inputs),
        kept_(kept),
        first_layer_(folded.features() ? 1 : 0),
        outputs_(folded.layers.back().W_RIO.size(2)),
        classes_(classes),
        hidden_(folded.layers.size()),
        hidden_stride_(folded.layers.size()),
        packed_(folded.layers.size()),
        transposed_(folded.layers.size()) {
    if (folded.features()) features_.emplace(first_layer, inputs);
    for (size_t i = first_layer_; i < folded.layers.size(); ++i) {
      const int64_t in = width(i), out = folded.layers[i].W_RIO.size(2);
      // Mixed rows are hidden units and, where there are any, direct logits.
      hidden_stride_[i] = tile_stride(i == 0 && folded.has_direct ? aligned(in) + aligned(classes) : in);
      hidden_[i] = buffer(kTileSamples * hidden_stride_[i]);
      packed_[i] = at::empty({kernels_.packed_size(in, out)}, hidden_[i].options());
      if (backward) transposed_[i] = at::empty({kernels_.packed_size(out, in)}, hidden_[i].options());
    }
    logits_stride_ = folded.has_direct ? hidden_stride_[0] : tile_stride(classes);
    logits_ = folded.has_direct ? hidden_[0].narrow(0, aligned(width(0)), hidden_[0].numel() - aligned(width(0)))
                                : buffer(kTileSamples * logits_stride_);
  }

  void use_run(int64_t run) {
    run_ = run;
    features_ ? features_->use_run(run) : void(mix_ = mix_of_run<T>(folded_.mix, inputs_.tensor(), run));
    for (size_t i = first_layer_; i < folded_.layers.size(); ++i) {
      const Tensor& W = folded_.layers[i].W_RIO;
      const int64_t in = W.size(1), out = W.size(2), row = W.stride(1), column = W.stride(2);
      const T* weights = W.const_data_ptr<T>() + run * W.stride(0);
      kernels_.pack(weights, in, out, row, column, data(packed_[i]));
      if (transposed_[i].defined()) kernels_.pack(weights, out, in, column, row, data(transposed_[i]));
    }
  }

  /// Logits of `count` samples; the buffer is the tile's own.
  T* forward(int64_t first, int64_t count) {
    features_ ? features_->forward(first, count, data(hidden_[1]), hidden_stride_[1]) : mix_rows(first, count);
    for (size_t i = first_layer_; i < folded_.layers.size(); ++i) {
      const int64_t in = width(i), out = folded_.layers[i].W_RIO.size(2);
      const bool last = i + 1 == folded_.layers.size();
      T* to = last ? data(logits_) : data(hidden_[i + 1]);
      const int64_t stride = last ? logits_stride_ : hidden_stride_[i + 1];
      const bool starts_with_bias = put_bias(i, count, to, stride, last && folded_.has_direct);
      kernels_.multiply(count, out, in, data(hidden_[i]), hidden_stride_[i], data(packed_[i]), to, stride,
                        {.accumulate = starts_with_bias, .relu = !last});
    }
    if (outputs_ < classes_) {
      for (int64_t b = 0; b < count; ++b) data(logits_)[b * logits_stride_ + outputs_] = T{0};
    }
    return data(logits_);
  }

  /// From the gradients in the logits' buffer to a share of the run's and to the mixing weights' [samples, C]. The
  /// hidden activations turn into their own gradients.
  void backward(int64_t first, int64_t count, const GradientLayout& layout, GradientShare<T>& share,
                T* weight_gradient) {
    T* gradient = data(logits_);
    int64_t stride = logits_stride_;
    for (size_t i = folded_.layers.size(); i-- > first_layer_;) {
      const int64_t in = width(i), out = folded_.layers[i].W_RIO.size(2);
      T* hidden = data(hidden_[i]);
      kernels_.multiply_transposed(in, out, count, hidden, hidden_stride_[i], gradient, stride,
                                   share.flat + layout.weights[i].offset, aligned(out), share.started);
      bias_gradient(i, count, gradient, stride, layout, share);
      kernels_.multiply(count, in, out, gradient, stride, data(transposed_[i]), hidden, hidden_stride_[i],
                        {.positive = hidden, .positive_stride = hidden_stride_[i]});
      gradient = hidden;
      stride = hidden_stride_[i];
    }
    if (features_) {
      const auto& part = layout.weights[0];
      if (kept_.defined()) {
        keep(first, count, gradient, stride);
      } else {
        features_->weight_gradient(gradient, stride, share.flat + part.offset, aligned(part.columns), share.started);
      }
      bias_gradient(0, count, gradient, stride, layout, share);
    } else {
      unmix_rows(first, count, layout, share, weight_gradient);
    }
    share.started = true;
  }

  int64_t logits_stride() const { return logits_stride_; }

 private:
  static T* data(const Tensor& buffer) { return buffer.mutable_data_ptr<T>(); }
  Tensor buffer(int64_t size) const { return at::empty({size}, folded_.layers[0].W_RIO.options()); }
  int64_t width(size_t layer) const { return folded_.layers[layer].W_RIO.size(1); }

  void mix_rows(int64_t first, int64_t count) {
    row_mix_kernels<T>().forward(mix_.from(first), count, 0, mix_.width, /*relu_end=*/aligned(folded_.hidden),
                                 data(hidden_[0]), hidden_stride_[0]);
  }

  /// From the gradients of the mixed rows, direct logits included.
  void unmix_rows(int64_t first, int64_t count, const GradientLayout& layout, GradientShare<T>& share,
                  T* weight_gradient) {
    T* weights = weight_gradient == nullptr ? nullptr : weight_gradient + first * mix_.weight_count;
    row_mix_kernels<T>().backward(mix_.from(first), count, 0, mix_.width, data(hidden_[0]), hidden_stride_[0],
                                  share.flat + layout.table.offset, share.filled.get(), share.flat + layout.base.offset,
                                  weights);
  }

  void keep(int64_t first, int64_t count, const T* gradient, int64_t stride) {
    const int64_t columns = kept_.size(2);
    T* to = data(kept_) + run_ * kept_.stride(0) + first * columns;
    for (int64_t b = 0; b < count; ++b) std::copy_n(gradient + b * stride, columns, to + b * columns);
  }

  void bias_gradient(size_t layer, int64_t count, const T* gradient, int64_t stride, const GradientLayout& layout,
                     GradientShare<T>& share) {
    const auto& part = layout.biases[layer];
    if (part.rows == 0) return;
    kernels_.sum_columns(part.columns, count, gradient, stride, share.flat + part.offset, share.started);
  }

  /// Puts the bias where a product will be added to it; true where there is something to add to.
  bool put_bias(size_t layer, int64_t count, T* to, int64_t stride, bool filled) {
    const Tensor& b = folded_.layers[layer].b_RO;
    if (!b.defined()) return filled;
    const T* bias = b.const_data_ptr<T>() + run_ * b.stride(0);
    const int64_t columns = b.size(1);
    for (int64_t row = 0; row < count; ++row, to += stride) {
      filled ? void(std::transform(bias, bias + columns, to, to, std::plus<T>()))
             : void(std::copy_n(bias, columns, to));
    }
    return true;
  }

  const TileKernels<T>& kernels_ = tile_kernels<T>();
  const Folded& folded_;
  const Inputs& inputs_;
  Tensor kept_;
  size_t first_layer_;  ///< that the tile's own buffers feed
  int64_t outputs_, classes_, logits_stride_ = 0, run_ = 0;
  RowMix<T> mix_;
  std::optional<FeatureLayer<T>> features_;
  Tensor logits_;  ///< with direct logits, a part of hidden_[0]
  std::vector<Tensor> hidden_;
  std::vector<int64_t> hidden_stride_;
  std::vector<Tensor> packed_, transposed_;
};

const RowsOf<float>& rows_of(const RowLoss& loss, float) { return loss.of_float; }
const RowsOf<double>& rows_of(const RowLoss& loss, double) { return loss.of_double; }

/// Made once for all threads; of features alone.
template <class T>
Dense first_layer_of(const Folded& folded) {
  return folded.features() ? whole_vectors<T>(folded.layers[0]) : Dense();
}

/// How B samples are cut into tiles: of nearly equal size, in whole blocks of the kernels' rows, as many as threads
/// share evenly.
struct Tiling {
  Tiling(int64_t samples, int64_t shares) : B(samples) {
    constexpr int64_t kBlock = 4;
    const int64_t least = (B + kTileSamples - 1) / kTileSamples;
    count = std::max<int64_t>(1, (least + shares - 1) / shares * shares);
    size = (B + count * kBlock - 1) / (count * kBlock) * kBlock;
  }
  int64_t first(int64_t tile) const { return std::min(B, size * tile); }
  int64_t B, count, size;
};

/// Tiles [begin, end) of samples of the run the tile is set to.
template <class T>
void train_tiles(Tile<T>& tile, const Tiling& tiling, int64_t begin, int64_t end, const int64_t* targets,
                 const RowsOf<T>& loss, const GradientLayout& layout, GradientShare<T>& share, T* weight_gradient,
                 double* losses) {
  for (int64_t t = begin; t < end; ++t) {
    const int64_t first = tiling.first(t), count = tiling.first(t + 1) - first;
    if (count == 0) break;
    T* logits = tile.forward(first, count);
    loss(logits, tile.logits_stride(), targets + first, count, losses + first);
    tile.backward(first, count, layout, share, weight_gradient);
  }
  if (!share.started) std::fill(share.flat + layout.base.offset, share.flat + layout.size, T{0});
}

/// Of features that stand in a data set: the gradient of the first layer's W, features shared out among threads, given
/// those of all samples' units. Nothing has to be added up, and a sum over samples does not depend on the threads.
template <class T>
void put_first_gradient(const Inputs& inputs, const Tensor& kept, int64_t shares, const Tensor& W_gradient) {
  const int64_t features = inputs.width();
  at::parallel_for(0, inputs.runs() * shares, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t run = i / shares, share = i % shares;
      // Whole groups, so that the sums are the same for any number of threads.
      const int64_t groups = (features + kGroup - 1) / kGroup, first = groups * share / shares * kGroup;
      const int64_t count = std::min(features, groups * (share + 1) / shares * kGroup) - first;
      put_weight_gradient<T>(
          inputs, run, first, count, kept.const_data_ptr<T>() + run * kept.stride(0), kept.size(2), W_gradient.size(2),
          W_gradient.mutable_data_ptr<T>() + run * W_gradient.stride(0) + first * W_gradient.stride(1),
          W_gradient.stride(1));
    }
  });
}

template <class T>
TileGradients gradients_of(const Folded& folded, const Inputs& inputs, const Tensor& targets, int64_t classes,
                           const RowLoss& loss) {
  const int64_t R = inputs.runs(), B = inputs.samples();
  // A run is one thread's, or where there are fewer runs than threads, as many shares of tiles as threads.
  const int64_t threads = free_threads(), shares = R >= threads ? 1 : threads;
  const Tiling tiling(B, shares);
  const Tensor first_gradient = inputs.in_place() ? wanted_gradient(folded.layers[0]) : Tensor();
  const bool apart = first_gradient.defined();
  const GradientLayout layout(folded, apart);
  const auto options = folded.layers[0].W_RIO.options();
  const Tensor losses = at::empty({R, B}, options.dtype(at::kDouble)), flat = at::empty({R, layout.size}, options);
  const Tensor& weights = folded.mix.weights_RBC;
  const Tensor weight_gradient = weights.defined() ? at::zeros_like(weights) : Tensor();
  const Tensor others = at::empty({R, shares - 1, layout.size}, options);
  std::vector<GradientShare<T>> all;  // run by run
  for (int64_t i = 0; i < R * shares; ++i) {
    const int64_t run = i / shares, share = i % shares;
    all.emplace_back(layout, share == 0
                                 ? flat.mutable_data_ptr<T>() + run * layout.size
                                 : others.mutable_data_ptr<T>() + (run * (shares - 1) + share - 1) * layout.size);
  }
  const Dense first_layer = first_layer_of<T>(folded);
  const Tensor kept = apart ? at::empty({R, B, aligned(first_gradient.size(2))}, options) : Tensor();
  at::parallel_for(0, R * shares, 1, [&](int64_t begin, int64_t end) {
    Tile<T> tile(folded, first_layer, inputs, classes, /*backward=*/true, kept);
    for (int64_t i = begin; i < end; ++i) {
      const int64_t run = i / shares, share = i % shares;
      tile.use_run(run);
      train_tiles<T>(tile, tiling, tiling.count * share / shares, tiling.count * (share + 1) / shares,
                     targets.const_data_ptr<int64_t>() + run * B, rows_of(loss, T{}), layout,
                     all[static_cast<size_t>(i)],
                     weights.defined() ? weight_gradient.mutable_data_ptr<T>() + run * weights.stride(0) : nullptr,
                     losses.mutable_data_ptr<double>() + run * B);
    }
  });
  for (int64_t run = 0; run < R; ++run) {
    add_up(std::span<const GradientShare<T>>(all).subspan(run * shares, shares), layout, folded, run);
  }
  if (apart) put_first_gradient<T>(inputs, kept, shares, first_gradient);

  TileGradients result{losses, {}};
  if (!folded.features()) result.gradients.push_back(GradientLayout::view(flat, layout.table));
  const auto push = [&](const GradientLayout::Part& row) {
    if (row.rows > 0) result.gradients.push_back(GradientLayout::view(flat, row).squeeze(1));
  };
  push(layout.base);
  if (weights.defined()) result.gradients.push_back(weight_gradient);
  for (size_t i = 0; i < folded.layers.size(); ++i) {
    const Tensor wanted = wanted_gradient(folded.layers[i]);
    result.gradients.push_back(wanted.defined() ? wanted : GradientLayout::view(flat, layout.weights[i]));
    push(layout.biases[i]);
  }
  return result;
}

template <class T>
Tensor all_logits(const Folded& folded, const Inputs& inputs) {
  const int64_t R = inputs.runs(), B = inputs.samples(), V = folded.layers.back().W_RIO.size(2);
  const Tensor logits = at::empty({R, B, V}, folded.layers[0].W_RIO.options());
  const Tiling tiling(B, 1);
  const Dense first_layer = first_layer_of<T>(folded);
  for (int64_t run = 0; run < R; ++run) {
    at::parallel_for(0, tiling.count, 4, [&](int64_t begin, int64_t end) {
      Tile<T> tile(folded, first_layer, inputs, V, /*backward=*/false);
      tile.use_run(run);
      for (int64_t t = begin; t < end; ++t) {
        const int64_t first = tiling.first(t), count = tiling.first(t + 1) - first;
        const T* from = tile.forward(first, count);
        T* to = logits.mutable_data_ptr<T>() + (run * B + first) * V;
        for (int64_t b = 0; b < count; ++b) std::copy_n(from + b * tile.logits_stride(), V, to + b * V);
      }
    });
  }
  return logits;
}

/// With contiguous operands of the mix, and contiguous biases, as the kernels want them.
Folded prepared(Folded folded) {
  for (Tensor* tensor : {&folded.mix.table_RNW, &folded.mix.base_RW, &folded.mix.weights_RBC}) {
    if (tensor->defined()) *tensor = tensor->contiguous();
  }
  for (auto& layer : folded.layers) {
    if (layer.b_RO.defined()) layer.b_RO = layer.b_RO.contiguous();
  }
  return folded;
}

}  // namespace

bool tile_step_takes(const Folded& folded) {
  const Tensor& W = folded.layers[0].W_RIO;
  const auto type = W.scalar_type();
  return W.is_cpu() && (type == at::kFloat || type == at::kDouble) && folded.activation == "relu";
}

TileGradients tile_gradients(const Folded& folded, const Inputs& inputs, const Tensor& targets_RB, int64_t classes,
                             const RowLoss& loss) {
  const bool is_float = folded.layers[0].W_RIO.scalar_type() == at::kFloat;
  return (is_float ? gradients_of<float> : gradients_of<double>)(prepared(folded), inputs.contiguous(),
                                                                 targets_RB.contiguous(), classes, loss);
}

Tensor tile_logits(const Folded& folded, const Tensor& inputs) {
  const bool is_float = folded.layers[0].W_RIO.scalar_type() == at::kFloat;
  return (is_float ? all_logits<float> : all_logits<double>)(prepared(folded), inputs.contiguous());
}

}  // namespace logodds
