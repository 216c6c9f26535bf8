#pragma once

#include "core/tensor.h"

namespace logodds {

/// Rows of per-run tables: table [R,N,...] and index [R,B] give [R,B,...]; run r reads its own table only.
Tensor lookup(const Tensor& table, const Tensor& index_RB);

/// x [R,...,I] times w [R,I,O], run by run, plus bias [R,O] where it is defined: [R,...,O].
Tensor linear_per_run(const Tensor& x, const Tensor& w_RIO, const Tensor& bias_RO = {});

}  // namespace logodds
