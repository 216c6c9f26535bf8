#pragma once

#include "core/tensor.h"

namespace logodds {

// Fourier modes of functions of one number modulo p, given as the columns of x [p,N].

/// Energy of each column at each frequency κ = 0 … ⌊p/2⌋, sine and cosine together, [⌊p/2⌋+1,N], float64; the column's
/// energies sum to its Σ x².
Tensor frequency_energies(const Tensor& x_pN);

/// Gini coefficient of the norms over the columns of the frequencies κ ≥ 1: 0 where all frequencies are used alike,
/// near 1 where one is. Σ_ij |n_i - n_j| / (2 K Σ n).
double gini_of_frequencies(const Tensor& x_pN);

/// Inverse participation ratio of each column over its frequencies, Σ_κ e_κ² / (Σ_κ e_κ)² with e_κ the energies of
/// κ ≥ 1, [N]: 1 for a single frequency, 1/n for n equal ones. (Over the complex modes ±κ a single one gives ½.)
Tensor inverse_participation(const Tensor& x_pN);

/// Mean over the first four principal components v of the rows of x [p,N] of max_κ 2|Σ_j v_j e^{2πijκ/p}|² / (p Σ v²):
/// 1 where each is a circle's coordinate ("The Clock and the Pizza").
double circularity(const Tensor& x_pN);

}  // namespace logodds
