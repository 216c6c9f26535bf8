#include "training/batches.h"

#include <ATen/ATen.h>

#include <string>

#include "core/seeds.h"

namespace logodds {

Batches::Batches(std::vector<int64_t> seeds, int64_t examples, int64_t size)
    : seeds_(std::move(seeds)), examples_(examples), size_(size) {}

const Tensor& Batches::at(int64_t step) {
  const int64_t per_epoch = examples_ / size_, epoch = step / per_epoch;
  if (epoch != epoch_) {
    std::vector<Tensor> orders;
    for (const int64_t seed : seeds_) {
      auto generator = stream(seed, "batches of epoch " + std::to_string(epoch));
      orders.push_back(at::randperm(examples_, generator, at::TensorOptions().dtype(at::kLong)));
    }
    order_RB_ = at::stack(orders);
    epoch_ = epoch;
  }
  batch_RB_ = order_RB_.narrow(1, step % per_epoch * size_, size_);
  return batch_RB_;
}

}  // namespace logodds
