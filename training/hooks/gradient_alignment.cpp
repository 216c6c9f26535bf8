#include "training/hooks/gradient_alignment.h"

#include <ATen/ATen.h>

#include <nlohmann/json.hpp>

namespace logodds {

void GradientAlignment::Options::fields(Fields& fields) {
  fields.integer({"every_steps", "steps between observations"}, every_steps, at_least(1));
}

void GradientAlignment::observe(const Snapshot& snapshot, Row& row) {
  const Parameters with = snapshot.with_gradient();
  const auto put = [&](const std::string& name, const Tensor& weights, const Tensor& gradient) {
    const Tensor w = weights.to(at::kDouble).flatten(), g = gradient.to(at::kDouble).flatten();
    const double cosine = -(w.dot(g) / (w.norm() * g.norm())).item<double>();  // 0/0 is NaN, written as null
    row["gradient_alignment.cosine" + name] = cosine;
    row["gradient_alignment.radial_share" + name] = cosine * cosine;
  };
  put("", with.flat(), with.flat_gradient());
  row["gradient_alignment.norm"] = with.flat_gradient().to(at::kDouble).norm().item<double>();
  for (size_t i = 0; i < with.specs().size(); ++i) {
    put("." + with.specs()[i].name, with.views()[i], with.gradients()[i]);
  }
}

}  // namespace logodds
