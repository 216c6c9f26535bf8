#pragma once

#include <functional>
#include <vector>

#include "core/tensor.h"
#include "models/ops/folded.h"
#include "models/ops/inputs.h"

namespace logodds {

/// A loss on rows of plain memory: from logits [rows, classes] of row stride `stride` and class numbers it writes the
/// loss of each row and puts the gradients in the logits' place.
template <class T>
using RowsOf =
    std::function<void(T* logits_to_gradients, int64_t stride, const int64_t* targets, int64_t rows, double* losses)>;
struct RowLoss {
  RowsOf<float> of_float;
  RowsOf<double> of_double;
  bool ignores_constant = true;  ///< added to all logits of a row; then the network may be folded with `gauge`
};

/// Losses [R,B], float64, and the gradients of their sum (each row's as `loss` gives it) with respect to
/// folded.tensors(), in that order.
struct TileGradients {
  Tensor losses_RB;
  std::vector<Tensor> gradients;
};

/// Whether `tile_gradients` computes this network: on a CPU, float32 or float64, relu.
bool tile_step_takes(const Folded& folded);

/// Forward and backward of all samples, tile by tile: what a tile of a few dozen samples needs stays in a core's cache
/// from its mixed rows to its last gradient, so memory sees the tables and weights, and per sample only tokens, mixing
/// weights and the loss. Of tokens [R,B,T] or features [R,B,F] with targets [R,B] out of `classes`; where the network
/// makes classes - 1 logits, the last class's is 0. Fastest where neighbouring samples share tokens. Runs go to
/// threads, or the samples of one run where there are fewer runs than threads: the same bits for the same number of
/// threads.
TileGradients tile_gradients(const Folded& folded, const Inputs& inputs, const Tensor& targets_RB, int64_t classes,
                             const RowLoss& loss);

/// Logits [R,B,V] alone, without a graph.
Tensor tile_logits(const Folded& folded, const Tensor& inputs);

}  // namespace logodds
