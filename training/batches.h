#pragma once

#include <cstdint>
#include <vector>

#include "core/tensor.h"

namespace logodds {

/// Mini-batches without replacement: in each epoch of ⌊n/size⌋ steps every run takes its n training examples in an
/// order of its own, drawn from its seed and the epoch's number, batch by batch; what does not fill a batch is left out
/// of the epoch. A batch depends on seed and step only, so that training resumes in mid-epoch with nothing stored.
class Batches {
 public:
  /// `size` at most `examples`.
  Batches(std::vector<int64_t> seeds, int64_t examples, int64_t size);

  /// [R,size]: which of each run's training examples step `step` takes.
  const Tensor& at(int64_t step);

 private:
  std::vector<int64_t> seeds_;
  int64_t examples_, size_;
  int64_t epoch_ = -1;
  Tensor order_RB_;  ///< of this epoch
  Tensor batch_RB_;
};

}  // namespace logodds
