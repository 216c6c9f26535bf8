#pragma once

#include <cstdint>

// The update of training/optimizers/adamw.h on plain memory, vectorised: no LibTorch here.

namespace logodds {

/// One run's update. With c₁ = 1 - β₁^t and c₂ = √(1 - β₂^t), one division serves both corrections:
///   w ← keep w - step m / (√v + epsilon),  keep = 1 - η λ, step = η c₂ / c₁, epsilon = ε c₂
template <class T>
struct AdamwStep {
  T keep, keep_mean, keep_square, step, epsilon;  ///< keep_mean = β₁, keep_square = β₂
  const T* gradient;
  T *weights, *mean, *square;
};

template <class T>
using AdamwKernel = void (*)(const AdamwStep<T>& update, int64_t begin, int64_t end);

/// Updates elements begin … end-1, by this machine's instruction set. The same bits however a run is cut into such
/// parts.
template <class T>
AdamwKernel<T> adamw_kernel();

}  // namespace logodds
