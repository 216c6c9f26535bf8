#pragma once

#include "core/tensor.h"

namespace logodds {

/// Rows of per-run tables: table [R,N,...] and index [R,B] give [R,B,...]; run r reads its own table only.
Tensor lookup(const Tensor& table, const Tensor& index_RB);

/// a [R,N,K] times b [R,K,M], run by run: [R,N,M]; plus c where it is defined, [R,N,M] or [R,1,M]. One run goes to the
/// plain matrix product, which is parallel inside; LibTorch's batched one is parallel over the batch only.
Tensor matmul_per_run(const Tensor& a_RNK, const Tensor& b_RKM, const Tensor& c = {});

/// x [R,...,I] times w [R,I,O], run by run, plus bias [R,O] where it is defined: [R,...,O].
Tensor linear_per_run(const Tensor& x, const Tensor& w_RIO, const Tensor& bias_RO = {});

}  // namespace logodds
