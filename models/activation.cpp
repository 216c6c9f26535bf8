#include "models/activation.h"

#include <ATen/ATen.h>

#include "core/error.h"

namespace logodds {

const std::vector<std::string>& activation_names() {
  static const std::vector<std::string> names{"relu", "gelu", "quadratic"};
  return names;
}

Tensor activate(const std::string& name, const Tensor& x) {
  if (name == "relu") return at::relu(x);
  if (name == "gelu") return at::gelu(x);
  if (name == "quadratic") return at::square(x);
  throw Error("unknown activation '" + name + "'", ExitCode::internal);
}

}  // namespace logodds
