#pragma once

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "core/tensor.h"
#include "models/ops/folded.h"

// What the threads of models/ops/tile_step.h make of a run's gradient, each its share, and their sum.

namespace logodds {

/// Where the gradients of one run lie in a flat buffer: each as a matrix of aligned rows.
struct GradientLayout {
  struct Part {
    int64_t offset, rows, columns;
  };
  Part table{0, 0, 0}, base{0, 0, 0};
  std::vector<Part> weights, biases;
  int64_t size = 0;

  /// `apart`: the gradient of the first layer's W has its place elsewhere.
  GradientLayout(const Folded& folded, bool apart) {
    const Tensor& rows = folded.mix.table_RNW;
    if (!folded.features()) {
      table = add(rows.size(1), rows.size(2));
      base = add(folded.mix.base_RW.defined() ? 1 : 0, rows.size(2));
    }
    for (const auto& layer : folded.layers) {
      weights.push_back(add(apart && weights.empty() ? 0 : layer.W_RIO.size(1), layer.W_RIO.size(2)));
      biases.push_back(add(layer.b_RO.defined() ? 1 : 0, layer.W_RIO.size(2)));
    }
  }

  /// The part of every run's buffer [R, size], as [R, rows, columns].
  static Tensor view(const Tensor& flat, const Part& part) {
    return flat.narrow(1, part.offset, part.rows * aligned(part.columns))
        .view({flat.size(0), part.rows, aligned(part.columns)})
        .narrow(2, 0, part.columns);
  }

 private:
  Part add(int64_t rows, int64_t columns) {
    const Part part{size, rows, columns};
    size += rows * aligned(columns);
    return part;
  }
};

/// A thread's share of the gradient of one run. The first tile puts what further ones add, so that nothing is cleared
/// that is written anyway; of the table, the largest part, a thread meets some rows only.
template <class T>
struct GradientShare {
  T* flat;
  bool started = false;            ///< all but the table and its base are there
  std::unique_ptr<bool[]> filled;  ///< which rows of the table are

  GradientShare(const GradientLayout& layout, T* to)
      : flat(to), filled(std::make_unique<bool[]>(static_cast<size_t>(layout.table.rows))) {
    std::fill_n(flat + layout.base.offset, layout.base.rows * layout.base.columns, T{0});
  }
};

/// Where the gradient of a layer's W is wanted, if it can be put there row by row.
inline Tensor wanted_gradient(const Dense& layer) {
  const Tensor& gradient = layer.W_gradient_RIO;
  const bool rows =
      gradient.defined() && gradient.stride(2) == 1 && gradient.scalar_type() == layer.W_RIO.scalar_type();
  return rows ? gradient : Tensor();
}

/// The table's rows added up in the first share.
template <class T>
void add_up_table(std::span<const GradientShare<T>> shares, const GradientLayout& layout) {
  const int64_t width = aligned(layout.table.columns);
  at::parallel_for(0, layout.table.rows, 64, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      T* sum = shares[0].flat + row * width;
      bool filled = shares[0].filled[row];
      for (const auto& share : shares.subspan(1)) {
        if (!share.filled[row]) continue;
        const T* from = share.flat + row * width;
        std::exchange(filled, true) ? void(std::transform(from, from + width, sum, sum, std::plus<T>()))
                                    : void(std::copy_n(from, width, sum));
      }
      if (!filled) std::fill_n(sum, width, T{0});
    }
  });
}

/// Another part's rows added up in `to`, which may be the first share's.
template <class T>
void add_up_rows(std::span<const GradientShare<T>> shares, const GradientLayout::Part& part, T* to, int64_t stride) {
  if (part.rows == 0) return;  // nor has it columns
  const int64_t from_stride = aligned(part.columns);
  at::parallel_for(0, part.rows, std::max<int64_t>(1, (1 << 14) / from_stride), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const auto of = [&](const GradientShare<T>& share) { return share.flat + part.offset + row * from_stride; };
      T* sum = to + row * stride;
      if (shares.size() == 1) {
        if (sum != of(shares[0])) std::copy_n(of(shares[0]), part.columns, sum);
        continue;
      }
      std::transform(of(shares[0]), of(shares[0]) + part.columns, of(shares[1]), sum, std::plus<T>());
      for (const auto& share : shares.subspan(2)) {
        std::transform(sum, sum + part.columns, of(share), sum, std::plus<T>());
      }
    }
  });
}

/// Adds the shares of a run up, each part where it is wanted, else in the first share.
template <class T>
void add_up(std::span<const GradientShare<T>> shares, const GradientLayout& layout, const Folded& folded, int64_t run) {
  const auto in_first = [&](const GradientLayout::Part& part) {
    add_up_rows(shares, part, shares[0].flat + part.offset, aligned(part.columns));
  };
  add_up_table(shares, layout);
  in_first(layout.base);
  for (size_t i = 0; i < folded.layers.size(); ++i) {
    const Tensor wanted = wanted_gradient(folded.layers[i]);
    wanted.defined() ? add_up_rows(shares, layout.weights[i], wanted.mutable_data_ptr<T>() + run * wanted.stride(0),
                                   wanted.stride(1))
                     : in_first(layout.weights[i]);
    in_first(layout.biases[i]);
  }
}

}  // namespace logodds
