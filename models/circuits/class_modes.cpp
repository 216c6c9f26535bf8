#include "models/circuits/class_modes.h"

#include <ATen/ATen.h>

namespace logodds {

Tensor ClassModes::zeros() const { return at::zeros({coefficients().size(0), basis().size(0)}, basis().options()); }

Tensor ClassModes::columns(const std::vector<int64_t>& parts) const {
  std::vector<int64_t> columns;
  for (const int64_t p : parts) {
    const auto part = static_cast<size_t>(p);
    for (int64_t mode = modes_.first[part]; mode < modes_.first[part + 1]; ++mode) columns.push_back(mode);
  }
  return at::tensor(columns, at::kLong).to(basis().device());
}

Tensor ClassModes::ranks() const { return at::tensor(modes_.first, at::kLong).diff(); }

Tensor ClassModes::sum(const std::vector<int64_t>& parts) const {
  if (parts.empty()) return zeros();
  const Tensor index = columns(parts);
  return at::mm(coefficients().index_select(1, index), basis().index_select(1, index).t());
}

Tensor ClassModes::at_class(int64_t p, const Tensor& classes_B) const {
  const Tensor index = columns({p});
  return (coefficients().index_select(1, index) * basis().index_select(1, index).index_select(0, classes_B)).sum(1);
}

Tensor ClassModes::at_classes(const Tensor& classes_B) const {
  return per_part((coefficients() * basis().index_select(0, classes_B)).t().contiguous());
}

Tensor ClassModes::mean_at_classes(const Tensor& classes_B) const {
  return per_part((coefficients() * basis().index_select(0, classes_B)).mean(0, false, at::kDouble));
}

Tensor ClassModes::per_part(const Tensor& per_mode) const {
  std::vector<Tensor> sums;
  for (size_t p = 0; p + 1 < modes_.first.size(); ++p) {
    sums.push_back(per_mode.narrow(0, modes_.first[p], modes_.first[p + 1] - modes_.first[p]).sum(0));
  }
  return at::stack(sums);
}

Tensor ClassModes::inner(const Tensor& x_BV) const {
  return per_part((at::mm(x_BV, basis()) * coefficients()).sum(0, false, at::kDouble));
}

std::optional<Tensor> ClassModes::energies_in(const Tensor& x_BV) const {
  if (!modes_.distinct) return std::nullopt;
  return per_part(at::mm(x_BV, basis()).to(at::kDouble).square().sum(0));
}

std::optional<Tensor> ClassModes::energies() const {
  if (!modes_.distinct) return std::nullopt;
  return per_part(coefficients().square().sum(0, false, at::kDouble));
}

}  // namespace logodds
