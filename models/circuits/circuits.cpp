#include "models/circuits/circuits.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "core/calibration.h"
#include "core/error.h"
#include "core/log_odds.h"
#include "core/text.h"

namespace logodds {

Tensor Circuits::sum(const std::vector<int64_t>& parts) const {
  Tensor total = zeros();
  for (const int64_t p : parts) total += part(p);
  return total;
}

Tensor Circuits::at_class(int64_t p, const Tensor& classes_B) const {
  return part(p).gather(1, classes_B.unsqueeze(1)).squeeze(1);
}

Tensor Circuits::at_classes(const Tensor& classes_B) const {
  std::vector<Tensor> rows;
  for (int64_t p = 0; p < size(); ++p) rows.push_back(at_class(p, classes_B));
  return at::stack(rows);
}

Tensor Circuits::inner(const Tensor& x_BV) const {
  std::vector<Tensor> products;
  for (int64_t p = 0; p < size(); ++p) products.push_back((part(p) * x_BV).sum(at::kDouble));
  return at::stack(products);
}

Tensor Circuits::mean_at_classes(const Tensor& classes_B) const {
  std::vector<Tensor> means;
  for (int64_t p = 0; p < size(); ++p) means.push_back(at_class(p, classes_B).mean(at::kDouble));
  return at::stack(means);
}

std::vector<int64_t> Circuits::find(const std::vector<std::string>& names) const {
  std::vector<int64_t> parts;
  for (const auto& name : names) {
    const auto found = std::ranges::find(labels(), name);
    if (found == labels().end()) throw Error("there is no circuit '" + name + "'" + suggestion(name, labels()));
    const int64_t part = found - labels().begin();
    if (std::ranges::count(parts, part) == 0) parts.push_back(part);
  }
  return parts;
}

std::vector<int64_t> Circuits::all_but(const std::vector<int64_t>& parts) const {
  std::vector<int64_t> others;
  for (int64_t p = 0; p < size(); ++p) {
    if (std::ranges::count(parts, p) == 0) others.push_back(p);
  }
  return others;
}

namespace {
double largest_of(const Tensor& x) {
  const auto [least, most] = x.aminmax();
  return std::max(-least.item<double>(), most.item<double>());
}

/// Of the centred logits.
double energy(const Tensor& logits_BV) {
  const double rms = centred_rms(logits_BV);
  return std::max(rms * rms * static_cast<double>(logits_BV.numel()), 1e-300);
}
}  // namespace

double completeness_error(const Tensor& sum_of_parts_BV, const Tensor& logits_BV) {
  const Tensor f = centred(logits_BV);
  const double largest = largest_of(f), error = largest_of(f - sum_of_parts_BV);
  return largest == 0 ? error : error / largest;
}

double completeness_error(const Circuits& circuits, const Tensor& logits_BV) {
  return completeness_error(circuits.sum(circuits.all_but({})), logits_BV);
}

Tensor energy_shares(const Circuits& circuits, const Tensor& logits_BV) {
  const auto own = circuits.energies();
  return (own ? *own : circuits.inner(centred(logits_BV))) / energy(logits_BV);
}

Tensor circuit_margins(const Circuits& circuits, const Tensor& targets_B, const Tensor& rivals_B) {
  return circuits.at_classes(targets_B) - circuits.at_classes(rivals_B);
}

Crossing cross(const Circuits& one, const Circuits& other, const Tensor& logits_BV) {
  const double total = energy(logits_BV);
  std::vector<Tensor> overlaps, energies;
  for (int64_t p = 0; p < one.size(); ++p) {
    const Tensor part = one.part(p);
    overlaps.push_back(other.inner(part) / total);
    if (const auto found = other.energies_in(part)) energies.push_back(*found / total);
  }
  Crossing crossing{at::stack(overlaps), std::nullopt};
  if (!energies.empty()) crossing.energy_PQ = at::stack(energies);
  return crossing;
}

}  // namespace logodds
