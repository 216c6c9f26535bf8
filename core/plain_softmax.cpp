#include "core/plain_softmax.h"

#include <ATen/ATen.h>

#include "core/device.h"
#include "core/error.h"
#include "core/plain_softmax_loops.h"

namespace logodds {

const std::vector<std::string>& arithmetic_names() {
  static const std::vector<std::string> names{"float64", "float32", "float16"};
  return names;
}

namespace {

template <class T, class A>
void compute(const Tensor& logits, const Tensor& targets, double scale, const PlainSoftmax& result) {
  run(PlainSoftmaxRows<T, A>{.logits = logits.const_data_ptr<T>(),
                             .stride = logits.size(-1),
                             .targets = targets.const_data_ptr<int64_t>(),
                             .classes = logits.size(-1),
                             .scale = scale,
                             .losses = result.loss.mutable_data_ptr<double>(),
                             .sums = result.sum.mutable_data_ptr<double>(),
                             .gradient = result.gradient.defined() ? result.gradient.mutable_data_ptr<T>() : nullptr},
      targets.numel(), place_of(logits));
}

template <class T>
void compute_in(const std::string& arithmetic, const Tensor& logits, const Tensor& targets, double scale,
                const PlainSoftmax& result) {
  if (arithmetic == "float64") return compute<T, Float64>(logits, targets, scale, result);
  if (arithmetic == "float32") return compute<T, Float32>(logits, targets, scale, result);
  if (arithmetic == "float16") return compute<T, Float16>(logits, targets, scale, result);
  throw Error("there is no arithmetic '" + arithmetic + "'", ExitCode::internal);
}

PlainSoftmax computed(const std::string& arithmetic, const Tensor& logits, const Tensor& targets, double scale,
                      bool with_gradient) {
  const Tensor f = logits.contiguous(), y = targets.to(at::kLong).contiguous();
  const auto numbers = f.options().dtype(at::kDouble);
  const PlainSoftmax result{.loss = at::empty(y.sizes(), numbers),
                            .sum = at::empty(y.sizes(), numbers),
                            .gradient = with_gradient ? at::empty_like(f) : Tensor()};
  const bool is_float = f.scalar_type() == at::kFloat;
  (is_float ? compute_in<float> : compute_in<double>)(arithmetic, f, y, scale, result);
  return result;
}

}  // namespace

PlainSoftmax plain_softmax(const std::string& arithmetic, const Tensor& logits, const Tensor& targets) {
  return computed(arithmetic, logits, targets, 1, /*with_gradient=*/false);
}

PlainSoftmax plain_softmax_with_gradient(const std::string& arithmetic, const Tensor& logits, const Tensor& targets,
                                         double scale) {
  return computed(arithmetic, logits, targets, scale, /*with_gradient=*/true);
}

}  // namespace logodds
