#pragma once

#include <cstdint>

// The update of training/optimizers/adamw.h on plain memory, vectorised: no LibTorch here.

namespace logodds {

/// One run's update. With c₁ = 1 - β₁^t and c₂ = √(1 - β₂^t), one division serves both corrections:
///   w ← keep w - step m / (√v + epsilon),  keep = 1 - η λ, step = η c₂ / c₁, epsilon = ε c₂
template <class T>
struct AdamwStep {
  T keep, step, epsilon;
  T to_mean, to_square;  ///< 1 - β₁ and 1 - β₂, rounded as such: 1 - a rounded β₂ = .999 is off by 1e-5 of itself
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
